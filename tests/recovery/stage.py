"""A simulated Ollama and the real gateway before it, each on a real socket of this process; one case after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

from gateway.app import assemble
from gateway.core.policy import Policy
from gateway.core.policy.recovery import RecoveryRules
from gateway.core.policy.server import ServerRules
from gateway.core.policy.timeouts import Timeouts
from gateway.core.policy.upstreams import Upstream
from gateway.server.running import Running
from gateway.testing.ask import Ask
from gateway.testing.client import Client
from gateway.testing.faults import Fault, FaultKind, Faults, Scene
from gateway.testing.generations import Generation
from gateway.testing.models.model import Family, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Asked, Ended
from gateway.testing.script import Turn
from tests.recovery.saying import SAYINGS, Saying
from tests.recovery.surfaces import SURFACES, Seen, Surface

PATIENCE = 0.7  # seconds that the gateway waits for a part here; faults that stall last longer
STALL = 1.8
MODEL = "model"
WINDOW = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault of a case: `times` None is for ever."""

    kind: FaultKind
    at: int = 0
    times: int | None = 1
    seconds: float = STALL
    status: int = 500
    text: str = ""

    def __str__(self) -> str:
        times = "for ever" if self.times is None else f"{self.times} times" if self.times > 1 else "once"
        return f"{self.kind} at {self.at} {times}"

    def fault(self) -> Fault:
        return Fault(
            kind=self.kind, at=self.at, times=self.times, seconds=self.seconds, status=self.status, text=self.text
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked, how, and what befalls it. `more` are further fields of the request.

    `astray` is what the model says in place of the turn that is meant: in its first generations, the last one for ever
    where `strays` says so.
    """

    saying: Saying
    surface: Surface = SURFACES[0]
    astray: tuple[Turn, ...] = ()
    strays: bool = False
    strikes: tuple[Strike, ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.saying.name}, {self.surface.name}: {', '.join(map(str, self.strikes)) or 'no fault'}"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the client saw of a case, and what the server was asked for it. `body` is the length of the longest answer."""

    case: Case
    seen: Seen
    asked: list[Asked]
    still_open: int
    body: int

    @property
    def generations(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.generation]

    @property
    def hurried(self) -> bool:
        """The gateway left a server that no fault had made slow: this machine was too busy for so little patience."""
        wedged = any(strike.kind is FaultKind.WEDGE for strike in self.case.strikes)
        return not wedged and any(asked.ended is Ended.LEFT and not asked.struck for asked in self.generations)


class _Measuring(Faults):
    """Faults that also notice how long the body of an answer was."""

    def __init__(self) -> None:
        super().__init__()
        self.body = 0

    def at_byte(self, asked: Asked, begin: int, end: int) -> tuple[int, Callable[[Scene], Awaitable[None]]] | None:
        self.body = max(self.body, end) if asked.generation else self.body
        return super().at_byte(asked, begin, end)


class Stage:
    """`async with Stage(family, generation, state) as stage: outcome = await stage.play(case)`."""

    def __init__(
        self,
        family: Family,
        generation: Generation,
        state: Path,
        policy: Policy | None = None,
        *,
        driver: Literal["ollama", "openai"] = "ollama",
        window: int = WINDOW,
    ) -> None:
        self._case = Case(saying=SAYINGS[0])
        self._driver = driver
        self._number = self._generations = 0
        self._faults = _Measuring()
        self._model = SimModel(name=MODEL, family=family, script=self._turn, parameters={"num_ctx": window})
        self.server = SimulatedOllama([self._model], generation=generation)
        self.server.faults = self.server.engine.faults = self._faults
        self._state = state
        self._policy = policy
        self._stack = AsyncExitStack()

    def _turn(self, ask: Ask) -> Turn:
        """What the model means to say now. Rendering a prompt is no generation and comes to nothing."""
        case, at = self._case, max(ask.generation - self._generations - 1, 0)
        if at < len(case.astray):
            return case.astray[at]
        return case.astray[-1] if case.strays else case.saying.turn

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        policy = policy_for(self.server.url, self._policy or HASTY, self._driver)
        assembly = assemble(policy, state=self._state)
        running = Running(assembly.front, policy, close=assembly.close)
        await running.start()
        self._stack.push_async_callback(running.stop)
        self.url = running.url
        self._client = await self._stack.enter_async_context(Client(running.url))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def play(self, case: Case) -> Outcome:
        """One request, with the server's model out of memory before it."""
        self._case, surface = case, case.surface
        self._number += 1
        self._generations = len(self.server.generations)
        self.server.scheduler.unload(self._model)
        self._faults.clear()
        self._faults.body = 0
        for strike in case.strikes:
            self._faults.add(strike.fault())
        before = len(self.server.requests)
        question = f"Task {self._number}: do the next step."
        body = surface.body(MODEL, question, tools=case.saying.tools, more=case.more)
        seen = surface.read(await self._client.post(surface.path, body))
        asked = self.server.requests[before:]
        return Outcome(case=case, seen=seen, asked=asked, still_open=await self._still_open(), body=self._faults.body)

    async def _still_open(self) -> int:
        """Requests that the server is still working on, a while after the client had its answer."""
        for _ in range(200):
            if not self.server.open_requests:
                return 0
            await asyncio.sleep(0.005)
        return len(self.server.open_requests)


HASTY = Policy(
    recovery=RecoveryRules(backoff=0.001, backoff_cap=0.002, retries=1_000_000, quiet=0.0),
    timeouts=Timeouts(first_part=2 * PATIENCE, between_parts=PATIENCE, probe=1.0, unreachable=1.0),
)
"""The defaults, but for the waits, which are short; and what one case taught is forgotten in the next."""


def policy_for(upstream: str, policy: Policy, driver: Literal["ollama", "openai"] = "ollama") -> Policy:
    """The policy, for one upstream and any free port."""
    return replace(policy, upstreams={"up": Upstream(url=upstream, driver=driver)}, server=ServerRules(port=0))
