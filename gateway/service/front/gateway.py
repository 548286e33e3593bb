"""The gateway's front: a request in, a flight to follow out; and what the surfaces ask about models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakSet

from gateway.core.access import Keyring
from gateway.core.conversation import Conversation
from gateway.core.events import Came, JoinedOther
from gateway.core.plan import Loaded, ModelFacts, Target
from gateway.core.policy import Policy
from gateway.ports import Driver, UpstreamFailed
from gateway.service.asked import Asked
from gateway.service.front.flights import Flight
from gateway.service.front.joined import Joined
from gateway.service.prompt.fitting import Fitted, Fitting
from gateway.service.refusal import Refusal
from gateway.service.targets.away import Away
from gateway.service.targets.road import Map, Road
from gateway.service.turn.conductor import Conductor
from gateway.service.turn.endings import problem_of
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.upstreams.watching import preload, watch
from gateway.service.world import World


@dataclass(frozen=True, slots=True)
class Served:
    """A model as the gateway serves it: where it is, what is known of it, its effective window (None: not known yet)."""

    name: str
    upstream: str
    entry: Mapping[str, object]
    facts: ModelFacts | None
    window: int | None


class Gateway:
    """Everything behind the surfaces, for one policy."""

    def __init__(
        self,
        *,
        policy: Policy,
        upstreams: Upstreams,
        fitting: Fitting,
        joined: Joined,
        world: World,
        keyring: Keyring,
        away: Away,
    ) -> None:
        self.policy = policy
        self.keyring = keyring
        self.upstreams = upstreams
        self.fitting = fitting
        self.world = world
        self.joined = joined
        self.map = Map(upstreams, fitting, away)
        self.flights: WeakSet[Flight] = WeakSet()
        """Every answer under way, also those that nobody may join."""
        self._beside: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin what goes on beside the requests, until `close`."""
        create = asyncio.get_running_loop().create_task
        self._beside.append(create(preload(self.upstreams, self.policy, self.world)))
        self._beside.append(create(watch(self.upstreams, self.world)))

    async def answer(self, asked: Asked) -> Flight:
        """The answer to a request: one under way that is the same, else a new one."""
        self.world.journal.note(
            Came(
                request=asked.id,
                surface=asked.surface,
                model=asked.conversation.model,
                caller=asked.caller.name,
                agent=asked.agent,
                session=asked.session,
                stream=asked.sends,
            )
        )
        flight = await self.joined.find(asked, self.upstreams)
        if flight is not None:
            self.world.journal.note(JoinedOther(request=asked.id, other=flight.conductor.asked.id))
            return flight
        conductor = Conductor(
            asked,
            road=Road(asked, self.map),
            upstreams=self.upstreams,
            fitting=self.fitting,
            world=self.world,
        )
        flight = Flight(conductor, self.world)
        self.flights.add(flight)
        return self.joined.add(asked, flight)

    async def measured(self, conversation: Conversation) -> Fitted:
        """How long a prompt would be, whatever its length; nothing is generated. Raises Refusal."""
        target = (await self.targets(conversation.model))[0]
        try:
            return await self.fitting.measured(conversation, target, self.policy)
        except UpstreamFailed as error:
            raise Refusal(problem_of(error.failure)) from None

    async def shortened(self, fitted: Fitted, *, window: int | None) -> Fitted:
        """What would be sent of it, in this window or the pinned one. Raises Refusal where nothing fits."""
        try:
            return await self.fitting.shortened(fitted, self.policy, window=window)
        except UpstreamFailed as error:
            raise Refusal(problem_of(error.failure)) from None

    async def targets(self, model: str) -> Sequence[Target]:
        """Where the model can be had at home. Raises Refusal where nowhere."""
        return await self.upstreams.wanted(model, self.policy)

    async def served(self, *, facts: bool) -> list[Served]:
        """Every model that can be asked for, in the upstreams' order; `facts` asks for its window as well."""
        found: dict[str, Served] = {}
        for live in self.upstreams.live.values():
            await self.upstreams.refresh(live)
            for each in live.listed:
                if each.away or each.name in found:
                    continue
                served = Served(each.name, live.name, each.entry, None, None)
                found[each.name] = await self.look(each.name) or served if facts else served
        return list(found.values())

    async def look(self, model: str) -> Served | None:
        """One model with its facts and effective window, without loading it; None where it can't be told."""
        targets = await self.upstreams.targets(model, self.policy)
        for target in targets[:1]:
            live = self.upstreams[target]
            entry = next((each.entry for each in live.listed if each.name == target.model), {})
            try:
                facts = await self.upstreams.facts(target)
                window = await live.windows.of(target.model, facts, self.policy.rule_for(model), load=False)
            except UpstreamFailed as error:
                raise Refusal(problem_of(error.failure)) from None
            return Served(target.model, target.upstream, entry, facts, window)
        return None

    async def load(self, target: Target) -> None:
        """Bring a model into memory at the window that holds for it. Raises UpstreamFailed."""
        await self.upstreams.load(target, self.policy.rule_for(target.model))

    async def loaded(self) -> list[tuple[str, Loaded]]:
        """What is in memory now, at every upstream that can be asked."""
        found: list[tuple[str, Loaded]] = []
        for live in self.upstreams.live.values():
            try:
                found += [(live.name, each) for each in await live.driver.loaded()]
            except UpstreamFailed:
                continue
        return found

    def driver(self, target: Target) -> Driver:
        return self.upstreams[target].driver

    async def retire(self) -> None:
        """Close once the last answer under way has ended; a newer policy has taken over, and nothing leaves under this one."""
        if self.map.away.leaving is not None:
            self.map.away.leaving.retire()
        while any(flight.followers for flight in self.flights):
            await self.world.clock.sleep(1.0)
        await self.close()

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self.joined.close()
        for flight in self.flights:
            flight.stop()
        await self.upstreams.close()
