"""The one place that says how long a model's window is: picked once, pinned, and never changed but by decision."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gateway.core.budget import SMALL_WINDOW
from gateway.core.errors import thousands
from gateway.core.layers import Generation, context_of
from gateway.core.memory import CacheType, NotKnown, largest_window, parse_size
from gateway.core.plan import ModelFacts, Target
from gateway.core.policy.models import ModelRule
from gateway.core.policy.recovery import RecoveryRules
from gateway.core.policy.upstreams import Upstream
from gateway.core.recovery import larger, smaller
from gateway.core.wire.fields import is_object
from gateway.ports import Driver, WindowLearnt
from gateway.service.world import World


@dataclass(frozen=True, slots=True)
class Pinned:
    """The window in use, in tokens, and where it comes from. None: nobody can tell."""

    window: int | None
    source: str


class Windows:
    """The windows of one upstream's models."""

    def __init__(self, upstream: str, rule: Upstream, driver: Driver, *, rules: RecoveryRules, world: World) -> None:
        self._upstream = upstream
        self._cache: CacheType = rule.kv_cache
        self._parallel = rule.slots
        self._driver = driver
        self._rules = rules
        self._learnt = world.store
        self._world = world
        self._pinned: dict[str, Pinned] = {}
        self._hard_way: dict[str, WindowLearnt] | None = None
        self._picking = asyncio.Lock()

    def pinned(self, model: str) -> int | None:
        """What is in use, None where nothing was picked yet."""
        found = self._pinned.get(model)
        return found.window if found else None

    def all(self) -> dict[str, Pinned]:
        """What was picked so far, by model."""
        return dict(self._pinned)

    async def of(self, model: str, facts: ModelFacts, rule: ModelRule, *, load: bool = True) -> int | None:
        """The pinned window: policy's, else what its memory holds, else the Modelfile's, else what is loaded, else what the
        server then loads; never above the trained maximum, nor for a while above what last ran out of memory.

        None where nobody can tell, or where it would have to be loaded for that and `load` is off. Raises UpstreamFailed.
        """
        found = self._pinned.get(model)
        if found is not None and not await self._quiet_is_over(model):
            return found.window
        async with self._picking:
            picked = await self._pick(model, facts, rule, load=load)
        if picked.window is None and not load:
            return None
        self._pinned[model] = picked
        self._warn(model, picked, facts)
        return picked.window

    async def _pick(self, model: str, facts: ModelFacts, rule: ModelRule, *, load: bool) -> Pinned:
        picked = Pinned(rule.window, "policy")
        if picked.window is None and rule.memory:
            picked = Pinned(self._fitting(facts, rule.memory), f"what fits {rule.memory}")
        if picked.window is None:
            picked = Pinned(facts.configured, "the model's own setting")
        if picked.window is None:
            picked = Pinned(await self._loaded(model), "what was loaded")
        if picked.window is None and load:
            await self._driver.load(model, window=None)
            picked = Pinned(await self._loaded(model), "what the server loads")
        if picked.window is not None and facts.trained is not None and facts.trained < picked.window:
            picked = Pinned(facts.trained, "the most that it was trained for")
        return await self._below_failure(model, picked)

    def _fitting(self, facts: ModelFacts, memory: str) -> int | None:
        """The largest window that fits, None where the model file does not say what its layers keep."""
        size = parse_size(memory)
        generation: Generation = "old" if self._driver.prints_control else "new"
        told = facts.shown.get("model_info")
        context = context_of(told if is_object(told) else facts.info, generation=generation)
        if size is None or isinstance(context, NotKnown) or facts.trained is None or not facts.size_bytes:
            return None
        fits = largest_window(
            context,
            memory=size,
            weights=facts.size_bytes,
            kind=self._cache,
            parallel=self._parallel,
            most=facts.trained,
        )
        return fits or None

    async def _below_failure(self, model: str, picked: Pinned) -> Pinned:
        known = (await self._known()).get(model)
        if known is None or known.failed is None or picked.window is None or picked.window < known.failed:
            return picked
        if self._world.wall() - known.failed_at >= self._rules.quiet:
            return picked
        held = known.held if known.held and known.held < known.failed else smaller(known.failed)
        return Pinned(held or picked.window, f"{thousands(known.failed)} ran out of memory")

    async def _quiet_is_over(self, model: str) -> bool:
        """Whether a window that was made smaller for want of memory may be tried larger again."""
        known = (await self._known()).get(model)
        if known is None or known.failed is None or self._world.wall() - known.failed_at < self._rules.quiet:
            return False
        (await self._known())[model] = replace(known, failed=None)
        return True

    def raised(self, model: str, facts: ModelFacts, rule: ModelRule) -> int | None:
        """Pin the next larger window that policy's `memory` has room for; None where there is none. Costs a reload."""
        pinned = self.pinned(model)
        fits = self._fitting(facts, rule.memory) if rule.memory else None
        found = larger(pinned, fits) if pinned and fits else None
        if found is not None:
            self._pinned[model] = Pinned(found, f"{thousands(pinned or 0)} was too small for a request")
        return found

    async def shrunk(self, model: str, *, failed: int, held: int) -> None:
        """A window ran out of memory and a smaller one held: that one is pinned now, and at the next start."""
        now = self._world.wall()
        (await self._known())[model] = WindowLearnt(held=held, held_at=now, failed=failed, failed_at=now)
        self._pinned[model] = Pinned(held, f"{thousands(failed)} ran out of memory")
        target = Target(self._upstream, model)
        await self._learnt.learn_window(target, failed, held=False, at=now)
        await self._learnt.learn_window(target, held, held=True, at=now)
        self._world.notices.tell(
            f"memory {target}",
            f"{target} ran out of memory with a window of {thousands(failed)} tokens and holds with {thousands(held)}; "
            f"a larger one is tried again after {self._rules.quiet / 3600:.0f} hours",
        )

    async def _known(self) -> dict[str, WindowLearnt]:
        if self._hard_way is None:
            kept = await self._learnt.windows()
            self._hard_way = {target.model: each for target, each in kept.items() if target.upstream == self._upstream}
        return self._hard_way

    async def _loaded(self, model: str) -> int | None:
        for each in await self._driver.loaded():
            if each.name in (model, f"{model}:latest"):
                return each.window
        return None

    def _warn(self, model: str, picked: Pinned, facts: ModelFacts) -> None:
        if picked.window is None or picked.window >= SMALL_WINDOW:
            return
        trained = f" It was trained for {thousands(facts.trained)}." if facts.trained else ""
        self._world.notices.tell(
            f"window {self._upstream}/{model}",
            f"{model}: a window of {thousands(picked.window)} tokens ({picked.source}) is small for a coding agent.{trained} "
            "Set a larger one in the policy (models, window or memory)",
        )
