"""A simulated Ollama and the real gateway before it, each on a real socket of this process; one case after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

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
from gateway.testing.record import Asked
from gateway.testing.script import Turn
from tests.recovery.saying import SAYINGS, TOOLS, Saying
from tests.recovery.surfaces import SURFACES, Seen

PATIENCE = 0.15  # seconds that the gateway waits for a part here; faults that stall last longer
STALL = 0.6
MODEL = "model"
WINDOW = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault of a case: `times` None is for ever."""

    kind: FaultKind
    at: int = 0
    times: int | None = 1
    seconds: float = STALL
    text: str = ""

    def __str__(self) -> str:
        times = "for ever" if self.times is None else f"{self.times} times" if self.times > 1 else "once"
        return f"{self.kind} at {self.at} {times}"

    def fault(self) -> Fault:
        return Fault(kind=self.kind, at=self.at, times=self.times, seconds=self.seconds, text=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked, how, and what befalls it."""

    saying: str
    surface: str
    strikes: tuple[Strike, ...] = ()

    def __str__(self) -> str:
        return f"{self.saying}, {self.surface}: {', '.join(map(str, self.strikes)) or 'no fault'}"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the client saw of a case, and what the server was asked for it."""

    case: Case
    seen: Seen
    asked: list[Asked]
    still_open: int
    bytes: int
    generations: list[Asked] = field(init=False)

    def __post_init__(self) -> None:
        self.generations = [asked for asked in self.asked if asked.generation]


class _Measured(Faults):
    """Faults that also notice how long the body of an answer was."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def at_byte(self, asked: Asked, begin: int, end: int) -> tuple[int, Callable[[Scene], Awaitable[None]]] | None:
        self.bytes = max(self.bytes, end) if asked.generation else self.bytes
        return super().at_byte(asked, begin, end)


class Stage:
    """`async with Stage(family, generation, state) as stage: outcome = await stage.play(case)`."""

    def __init__(self, family: Family, generation: Generation, state: Path) -> None:
        self._saying: Saying = SAYINGS["text"]
        self._number = 0
        self._faults = _Measured()
        model = SimModel(name=MODEL, family=family, script=self._turn, parameters={"num_ctx": WINDOW})
        self.server = SimulatedOllama([model], generation=generation)
        self.server.faults = self.server.engine.faults = self._faults
        self._model = model
        self._state = state
        self._stack = AsyncExitStack()

    def _turn(self, _: Ask) -> Turn:
        return self._saying.turn

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        policy = policy_for(self.server.url)
        running = Running(assemble(policy, state=self._state).front, policy)
        await running.start()
        self._stack.push_async_callback(running.stop)
        self._client = await self._stack.enter_async_context(Client(running.url))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def play(self, case: Case) -> Outcome:
        """One request, with the server's model out of memory before it."""
        self._saying, surface = SAYINGS[case.saying], SURFACES[case.surface]
        self._number += 1
        self.server.scheduler.unload(self._model)
        self._faults.clear()
        self._faults.bytes = 0
        for strike in case.strikes:
            self._faults.add(strike.fault())
        before = len(self.server.requests)
        question: dict[str, object] = {"role": "user", "content": f"Task {self._number}: do the next step."}
        body = surface.body(MODEL, [question], tools=TOOLS if self._saying.tools else ())
        seen = surface.read(await self._client.post(surface.path, body))
        asked = self.server.requests[before:]
        return Outcome(case=case, seen=seen, asked=asked, still_open=await self._still_open(), bytes=self._faults.bytes)

    async def _still_open(self) -> int:
        """Requests that the server is still working on, a while after the client had its answer."""
        for _ in range(200):
            if not self.server.open_requests:
                return 0
            await asyncio.sleep(0.005)
        return len(self.server.open_requests)


def policy_for(upstream: str) -> Policy:
    """The defaults, but for the waits: these are made short."""
    return Policy(
        upstreams={"up": Upstream(url=upstream)},
        server=ServerRules(port=0),
        recovery=RecoveryRules(backoff=0.001, backoff_cap=0.002),
        timeouts=Timeouts(first_part=2 * PATIENCE, between_parts=PATIENCE, probe=1.0, unreachable=1.0),
    )
