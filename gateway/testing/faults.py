"""Everything that can go wrong, as data. A new fault is one name in FaultKind and one row in FAULTS; nothing else changes.

A fault strikes at a point of a request's life. What it does there is a short function: it sleeps, or raises what the point understands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

from gateway.ports import Clock
from gateway.testing.generations import ApiError, Cause, Generation
from gateway.testing.record import Asked, Kind


class Point(StrEnum):
    """Where in a request's life a fault strikes."""

    ARRIVAL = "arrival"
    LOAD = "load"  # place: the window
    PROMPT = "prompt"  # before the first token
    TOKEN = "token"  # before token `at`; place: tokens said so far  # noqa: S105
    CALLS = "calls"  # when the server's parser hands over tool calls
    PARSER_ERROR = "parser error"  # after it could not read one
    BODY = "body"  # before byte `at` of the response's body; at -1 not even the headers go out


class FaultKind(StrEnum):
    """What goes wrong. `at` counts tokens of this generation, bytes of the body, or is a window, as the point says."""

    SLOW_ANSWER = "slow answer"  # `seconds` before anything happens
    REFUSE = "refuse"  # an HTTP error with `status` and `text`
    QUEUE_FULL = "queue full"
    LOAD_MEMORY = "load memory"  # loading fails when the window is larger than `at`
    LOAD_KILLED = "load killed"
    LOAD_GONE = "load gone"
    LOAD_TIMEOUT = "load timeout"  # after `seconds`
    SLOW_LOAD = "slow load"
    OVERFLOW = "overflow"  # the 400, whatever the prompt's length
    GONE = "gone"  # the runner dies before the first token
    GONE_MEMORY = "gone, out of memory"
    COMPUTE_FAILS = "compute fails"  # before the first token: a 500
    COMPUTE_ERROR = "compute error"  # while it speaks: a silent end, or an error line on the native path
    SLOW_PROMPT = "slow prompt"  # `seconds` more before the first token
    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    READ_RESET = "read reset"  # between server and runner
    SILENT_END = "silent end"
    STALL = "stall"  # `seconds` of silence, then it goes on
    CAP = "cap"  # the server ends it with `length`
    LOOP = "loop"  # the model says one word for ever, until the server's repeat guard ends it in silence
    MALFORMED = "malformed"  # a line that is no JSON, then the stream goes on
    RESET_AT_TOKEN = "reset at token"  # noqa: S105
    CLOSE_AT_TOKEN = "close at token"  # noqa: S105
    DROP_CALLS = "drop calls"  # the parser swallows them
    PARSER_FAILS = "parser fails"  # with `text`
    WEDGE = "wedge"  # after a parser error the runner answers nobody until it is unloaded
    RESET = "reset"  # TCP reset at byte `at`
    CLOSE = "close"  # the connection closes at byte `at`, without the body's end
    END = "end"  # the body ends at byte `at`, cleanly
    STALL_AT_BYTE = "stall at byte"  # `seconds` of silence, then it goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, `times` times (None: for ever).

    `on` chooses the requests: by default every generation, and for the loading of a model whatever loads it.
    `nth` narrows it to these generations of the server, counted from 1.
    """

    kind: FaultKind
    at: int = 0
    seconds: float = 0.0
    times: int | None = 1
    on: Callable[[Asked], bool] | None = None
    nth: frozenset[int] = frozenset()
    status: int = 500
    text: str = ""


# What a fault raises, besides ApiError, and the points understand.
Cut: TypeAlias = Literal["reset", "close", "end"]


class Severed(Exception):
    """The connection is cut: a TCP reset, a close in the middle of the body, or the body's clean end."""

    def __init__(self, how: Cut) -> None:
        super().__init__(how)
        self.how: Cut = how


class SilentEnd(Exception):
    """The stream ends cleanly, without its last record."""


class Capped(Exception):
    """The server ends the generation with `length`."""


class Looping(Exception):
    """From here on the model says the same word again and again."""


class Malformed(Exception):
    """The next line is no JSON."""


class Dropped(Exception):
    """The parser forgets the calls that it read."""


class Scene(Protocol):
    """What a fault can reach of the request that it befalls."""

    @property
    def clock(self) -> Clock: ...
    @property
    def generation(self) -> Generation: ...
    @property
    def native(self) -> bool: ...

    def kill(self, cause: Cause, *, all_others: bool = False) -> None:
        """End the runner's process."""
        ...

    def wedge(self) -> None:
        """Let the runner answer nobody any more."""
        ...


Act: TypeAlias = Callable[[Fault, Scene], Awaitable[None]]


async def _refuse(fault: Fault, _: Scene) -> None:
    raise ApiError(fault.status, fault.text or "internal server error")


async def _wait(fault: Fault, scene: Scene) -> None:
    await scene.clock.sleep(fault.seconds)


async def _load_timeout(fault: Fault, scene: Scene) -> None:
    await scene.clock.sleep(fault.seconds)
    raise scene.generation.error(Cause.LOAD_TIMEOUT)


async def _compute_error(_: Fault, scene: Scene) -> None:
    if scene.native:
        raise ApiError(500, "llama-server chat error: map[code:500 message:Compute error. type:server_error]")
    raise SilentEnd


async def _wedge(_: Fault, scene: Scene) -> None:
    scene.wedge()


def _fails(cause: Cause, **fields: float) -> Act:
    async def act(_: Fault, scene: Scene) -> None:
        raise scene.generation.error(cause, **fields)

    return act


def _dies(cause: Cause, *, all_others: bool = False) -> Act:
    async def act(_: Fault, scene: Scene) -> None:
        scene.kill(cause, all_others=all_others)
        raise scene.generation.error(cause)

    return act


def _raises(error: Callable[[], Exception]) -> Act:
    async def act(_: Fault, __: Scene) -> None:
        raise error()

    return act


FAULTS: Mapping[FaultKind, tuple[Point, Act]] = MappingProxyType(
    {
        FaultKind.SLOW_ANSWER: (Point.ARRIVAL, _wait),
        FaultKind.REFUSE: (Point.ARRIVAL, _refuse),
        FaultKind.QUEUE_FULL: (Point.ARRIVAL, _fails(Cause.QUEUE_FULL)),
        FaultKind.LOAD_MEMORY: (Point.LOAD, _fails(Cause.LOAD_MEMORY, need=26.5, have=23.5)),
        FaultKind.LOAD_KILLED: (Point.LOAD, _fails(Cause.LOAD_KILLED)),
        FaultKind.LOAD_GONE: (Point.LOAD, _fails(Cause.LOAD_GONE)),
        FaultKind.LOAD_TIMEOUT: (Point.LOAD, _load_timeout),
        FaultKind.SLOW_LOAD: (Point.LOAD, _wait),
        FaultKind.OVERFLOW: (Point.PROMPT, _fails(Cause.OVERFLOW, tokens=9000, window=8192)),
        FaultKind.GONE: (Point.PROMPT, _dies(Cause.GONE)),
        FaultKind.GONE_MEMORY: (Point.PROMPT, _dies(Cause.GONE_MEMORY, all_others=True)),
        FaultKind.SLOW_PROMPT: (Point.PROMPT, _wait),
        FaultKind.COMPUTE_FAILS: (Point.PROMPT, _fails(Cause.COMPUTE)),
        FaultKind.COMPUTE_ERROR: (Point.TOKEN, _compute_error),
        FaultKind.CRASH: (Point.TOKEN, _dies(Cause.DIED)),
        FaultKind.OUT_OF_MEMORY: (Point.TOKEN, _dies(Cause.DIED_MEMORY, all_others=True)),
        FaultKind.READ_RESET: (Point.TOKEN, _dies(Cause.READ_RESET)),
        FaultKind.SILENT_END: (Point.TOKEN, _raises(SilentEnd)),
        FaultKind.STALL: (Point.TOKEN, _wait),
        FaultKind.CAP: (Point.TOKEN, _raises(Capped)),
        FaultKind.LOOP: (Point.TOKEN, _raises(Looping)),
        FaultKind.MALFORMED: (Point.TOKEN, _raises(Malformed)),
        FaultKind.RESET_AT_TOKEN: (Point.TOKEN, _raises(lambda: Severed("reset"))),
        FaultKind.CLOSE_AT_TOKEN: (Point.TOKEN, _raises(lambda: Severed("close"))),
        FaultKind.DROP_CALLS: (Point.CALLS, _raises(Dropped)),
        FaultKind.PARSER_FAILS: (Point.CALLS, _refuse),
        FaultKind.WEDGE: (Point.PARSER_ERROR, _wedge),
        FaultKind.RESET: (Point.BODY, _raises(lambda: Severed("reset"))),
        FaultKind.CLOSE: (Point.BODY, _raises(lambda: Severed("close"))),
        FaultKind.END: (Point.BODY, _raises(lambda: Severed("end"))),
        FaultKind.STALL_AT_BYTE: (Point.BODY, _wait),
    }
)


@dataclass(slots=True, eq=False)
class _Armed:
    """A fault and how often it may still strike."""

    fault: Fault
    left: int | None

    def waits_for(self, point: Point, asked: Asked) -> bool:
        fault = self.fault
        if FAULTS[fault.kind][0] is not point or self.left == 0:
            return False
        if fault.nth and asked.generation not in fault.nth:
            return False
        return fault.on(asked) if fault.on else asked.kind is Kind.GENERATION or point is Point.LOAD

    async def strike(self, scene: Scene, asked: Asked) -> None:
        self.left = None if self.left is None else self.left - 1
        asked.struck.append(self.fault.kind)
        await FAULTS[self.fault.kind][1](self.fault, scene)


class Faults:
    """The faults of one server. Deterministic: they are asked in the order in which they were given."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault, fault.times))

    def clear(self) -> None:
        """All is well from now on."""
        self._armed.clear()

    async def strike(self, point: Point, scene: Scene, asked: Asked, place: int = 0) -> None:
        """Let befall the request whatever is due at this point and place."""
        for armed in list(self._armed):
            if armed.waits_for(point, asked) and _reached(point, armed.fault, place):
                await armed.strike(scene, asked)

    def at_byte(self, asked: Asked, begin: int, end: int) -> tuple[int, Callable[[Scene], Awaitable[None]]] | None:
        """The first byte of this stretch of the body before which a fault strikes, and its stroke."""
        due = [a for a in self._armed if a.waits_for(Point.BODY, asked) and begin <= a.fault.at < end]
        if not due:
            return None
        first = min(due, key=lambda armed: armed.fault.at)
        return first.fault.at, lambda scene: first.strike(scene, asked)


def _reached(point: Point, fault: Fault, place: int) -> bool:
    match point:
        case Point.TOKEN:
            return place == fault.at
        case Point.LOAD:
            return place > fault.at
        case _:
            return True
