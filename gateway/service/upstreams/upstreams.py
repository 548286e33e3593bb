"""The upstreams as they are now: which models they have, what is known of these, how fast they are. Asked rarely, remembered shortly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.core.admission import Admission
from gateway.core.breaker import Breaker, RetryBudget
from gateway.core.errors import Code, Problem
from gateway.core.failures import Failure
from gateway.core.plan import ModelFacts, Target
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream
from gateway.core.recovery import OF_THE_UPSTREAM
from gateway.core.routing import target_of
from gateway.core.wire.fields import short
from gateway.ports import Driver, Listed, UpstreamFailed
from gateway.service.refusal import Refusal
from gateway.service.upstreams.paces import Paces
from gateway.service.upstreams.slots import Slots
from gateway.service.upstreams.windows import Windows
from gateway.service.world import World

_FRESH = 15.0  # seconds for which a list of models is taken as true
_TROUBLED = 1.0  # the same after an upstream could not be asked
_FACTS_FRESH = 120.0  # the same for what is known of a model


@dataclass(slots=True)
class Live:
    """One upstream with what we know of it."""

    name: str
    rule: Upstream
    driver: Driver
    slots: Slots
    retries: RetryBudget
    windows: Windows
    listed: Sequence[Listed] = ()
    listed_at: float = float("-inf")
    trouble: str = ""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    facts: dict[str, tuple[float, ModelFacts]] = field(default_factory=dict)
    paces: Paces = field(default_factory=Paces)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    away: bool = False
    """Not at home: nothing goes there but through the way out, not even a question."""

    def breaker(self, model: str) -> Breaker:
        return self.breakers.setdefault(model, Breaker(self.retries.rules))

    async def settle(self, model: str, failure: Failure | None, *, held: int | None, retries: int, now: float) -> None:
        """Learn from how a request ended: the breaker, the budget of retries, and the window that `held` where it is smaller."""
        if failure is None:
            self.breaker(model).worked()
            self.retries.give_back(retries)
            pinned = self.windows.pinned(model)
            if pinned and held and held < pinned:
                await self.windows.shrunk(model, failed=pinned, held=held)
        elif failure.kind in OF_THE_UPSTREAM:
            self.breaker(model).failed(failure, now)

    def has(self, model: str) -> str | None:
        """The upstream's own name for a model, where it lists it: `m` and `m:latest` are one."""
        names = {each.name for each in self.listed if not each.away}
        return next((name for name in (model, f"{model}:latest", model.removesuffix(":latest")) if name in names), None)


class Upstreams:
    """All upstreams, in the order of the policy: `live` are those at home; those `away` are known by name alone."""

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        policy: Policy,
        world: World,
        *,
        away: Mapping[str, Driver] = MappingProxyType({}),
    ) -> None:
        self._clock = world.clock

        def live(name: str, rule: Upstream, driver: Driver) -> Live:
            slots = Slots(Admission(rule.slots, policy.admission), world.clock)
            windows = Windows(name, rule, driver, rules=policy.recovery, world=world)
            return Live(name, rule, driver, slots, RetryBudget(policy.recovery), windows)

        self.live = {name: live(name, policy.upstreams[name], driver) for name, driver in drivers.items()}
        elsewhere = Upstream(slots=policy.cloud.slots)
        providers = {name: replace(live(name, elsewhere, driver), away=True) for name, driver in away.items()}
        self._away = {target: providers[target.upstream] for target in map(target_of, policy.cloud.heavy)}

    def __getitem__(self, target: Target) -> Live:
        """Where a target is. A server at home may have models that run elsewhere (Ollama's cloud)."""
        return self._away.get(target) or self.live[target.upstream]

    def inherit(self, before: Upstreams) -> None:
        """Go on with what was learnt of the same servers under an earlier policy."""
        for name, live in self.live.items():
            known = before.live.get(name)
            if known is not None and (known.rule.url, known.rule.driver) == (live.rule.url, live.rule.driver):
                live.paces = known.paces

    async def targets(self, model: str, policy: Policy) -> list[Target]:
        """Where a model can be had, in order. The upstream that a rule names is taken at its word."""
        rule = policy.rule_for(model)
        wanted = rule.model or model
        if rule.upstream and rule.model:
            return [Target(rule.upstream, rule.model)]
        found = []
        for live in self.live.values():
            if rule.upstream and live.name != rule.upstream:
                continue
            name = live.has(wanted)
            if name is None:
                await self.refresh(live)
                name = live.has(wanted)
            if name is not None:
                found.append(Target(live.name, name))
        return found

    async def wanted(self, model: str, policy: Policy) -> list[Target]:
        """Where a model can be had at home, in order. Raises Refusal where nowhere."""
        found = await self.targets(model, policy)
        if found:
            return found
        troubles = [live.name for live in self.live.values() if live.trouble]
        if troubles and len(troubles) == len(self.live):
            raise Refusal(_nobody_answers(troubles))
        raise Refusal(
            Problem(
                Code.MODEL_NOT_FOUND,
                f"model {short(model)} not found; GET /v1/models lists what there is",
                param="model",
            )
        )

    def first_listed(self) -> str:
        """The first model that any upstream lists; "" where none does."""
        return next((each.name for live in self.live.values() for each in live.listed if not each.away), "")

    async def refresh(self, live: Live, *, force: bool = False) -> None:
        """Ask for the list of models, unless it was asked for just now. Trouble is remembered, not raised."""
        async with live.asking:  # who comes meanwhile waits for the same answer
            if not force and self._clock.now() - live.listed_at < (_TROUBLED if live.trouble else _FRESH):
                return
            try:
                live.listed = await live.driver.models()
                live.trouble = ""
            except UpstreamFailed as error:
                live.trouble = f"{error.failure.kind}: {error.failure.detail}"
            live.listed_at = self._clock.now()

    async def facts(self, target: Target) -> ModelFacts:
        """What is known of a model. Raises UpstreamFailed where nothing is and the upstream can't be asked."""
        live, now = self[target], self._clock.now()
        at, known = live.facts.get(target.model, (float("-inf"), None))
        if known is not None and now - at < _FACTS_FRESH:
            return known
        facts = await live.driver.describe(target.model)
        entry = next((each.entry for each in live.listed if each.name == target.model), {})
        size = entry.get("size")
        facts = replace(
            facts,
            digest=facts.digest or str(entry.get("digest") or ""),
            size_bytes=facts.size_bytes or (size if isinstance(size, int) else 0),
        )
        live.facts[target.model] = (now, facts)
        return facts

    async def load(self, target: Target, rule: ModelRule) -> None:
        """Bring a model into memory at the window that holds for it. Raises UpstreamFailed."""
        live = self[target]
        window = await live.windows.of(target.model, await self.facts(target), rule)
        await live.driver.load(target.model, window=window)

    async def close(self) -> None:
        for driver in {id(live.driver): live.driver for live in (*self.live.values(), *self._away.values())}.values():
            await driver.close()


def _nobody_answers(names: Sequence[str]) -> Problem:
    return Problem(
        Code.UPSTREAM_UNREACHABLE,
        f"The model server can't be reached ({', '.join(names)}). Start it, or correct its address in the policy (upstreams).",
    )
