"""All that the core and the service ever ask of the world: drivers, clock, stores, counters, journal. And the drivers' one exception."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gateway.core.budget import Count
from gateway.core.conversation import Conversation, Message, ToolSpec
from gateway.core.events import Event
from gateway.core.failures import Failure
from gateway.core.kept import Kept
from gateway.core.plan import Loaded, Mode, ModelFacts, Target, Try
from gateway.core.spending import Caps, Reservation, Spent
from gateway.core.stream import Part


class UpstreamFailed(Exception):
    """The only exception that a driver raises: what went wrong, as data."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.detail}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors for texts, and the tokens that they cost. `vectors` keeps the upstream's own JSON numbers."""

    vectors: Sequence[object]
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in an upstream's list, with the upstream's own entry for it."""

    name: str
    entry: Mapping[str, object]
    away: bool = False


class Driver(Protocol):
    """One upstream. Every method raises UpstreamFailed and nothing else; a stream that is closed closes its connection."""

    @property
    def modes(self) -> Sequence[Mode]:
        """How it can go on with a broken answer, best first."""
        ...

    @property
    def prints_control(self) -> bool:
        """Whether its raw mode prints and keeps the control tokens of a model."""
        ...

    async def alive(self) -> str:
        """Its version, by the cheapest request it has."""
        ...

    async def models(self) -> Sequence[Listed]: ...

    async def describe(self, model: str) -> ModelFacts: ...

    async def loaded(self) -> Sequence[Loaded]: ...

    async def load(self, model: str, *, window: int | None) -> None:
        """Bring it into memory, with this window or the server's own choice of one."""
        ...

    async def unload(self, model: str) -> None: ...

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        """The exact prompt text that the upstream would read, or None where it can't tell."""
        ...

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        """The exact prompt length in tokens by the upstream's own word, or None where it has no such endpoint."""
        ...

    def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        """The answer, a batch of parts for each piece that arrives; ends only after the upstream's true end."""
        ...

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings: ...

    def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        """Ollama's pull, push, create, copy and delete, byte for byte."""
        ...

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        """The model file's tokenizer keys, or None where the upstream does not give them."""
        ...

    async def close(self) -> None: ...


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Journal(Protocol):
    """Where events go: log line, record, status."""

    def note(self, event: Event) -> None: ...

    def failed(self, request: str, error: BaseException) -> None:
        """The gateway itself failed: where, for the log; not what the error says, which may hold content."""
        ...

    def keep(self, request: str, kept: Kept) -> None:
        """Contents that the record can give back to its owner for a while; they reach neither log nor disk."""
        ...

    def show(self, request: str) -> Mapping[str, object] | None:
        """The record of one request as plain data, None where none is kept."""
        ...

    def latest(self, count: int) -> Sequence[Mapping[str, object]]: ...


class Counter(Protocol):
    """Counts tokens with a served model's own vocabulary."""

    async def exact(self, prompt: str, *, model: str, digest: str, driver: Driver) -> int | None:
        """Tokens of a rendered prompt, or None where the model's vocabulary can't be had."""
        ...

    def estimate(self, conversation: Conversation, rendered: str | None, *, model: str) -> Count:
        """Without the vocabulary: calibrated by what the server told before, else estimated."""
        ...

    def observe(
        self, conversation: Conversation, rendered: str | None, count: Count, *, model: str, actual: int
    ) -> str:
        """Learn from the server's own count of a prompt. Words of alarm where it read far less than was sent, else ""."""
        ...

    async def sizes(self, *, model: str, digest: str, driver: Driver, probe: Try) -> Sizes:
        """Sizes of messages to plan with."""
        ...


class Sizes(Protocol):
    """What messages add to a prompt, in tokens; they add up."""

    @property
    def opening(self) -> int: ...
    def tools(self, tools: tuple[ToolSpec, ...]) -> int: ...
    def message(self, message: Message) -> int: ...


class Summaries(Protocol):
    """Summaries of histories, made once. What can't be read is None; what can't be kept is made again."""

    async def summary(self, key: bytes) -> str | None: ...

    async def keep_summary(self, key: bytes, text: str) -> None: ...


class Taints(Protocol):
    """The marks of what once held something private. Where they can't be read, everything is tainted."""

    async def tainted(self, keys: Sequence[bytes], now: float) -> frozenset[bytes]:
        """Those of `keys` that are tainted; `now` in seconds since 1970."""
        ...

    async def taint(self, keys: Sequence[bytes], *, until: float) -> None:
        """Keep the marks until then, or longer where they are kept longer already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLearnt:
    """The window of a model that last held and the one that last ran out of memory, each with its time (seconds since 1970)."""

    held: int | None = None
    held_at: float = 0.0
    failed: int | None = None
    failed_at: float = 0.0


class Learnt(Protocol):
    """What was learnt of targets the hard way, for the next start. What can't be read or kept is learnt again."""

    async def windows(self) -> Mapping[Target, WindowLearnt]: ...

    async def learn_window(self, target: Target, window: int, *, held: bool, at: float) -> None: ...

    async def dead(self) -> Mapping[Target, float]:
        """Models that their upstream said it no longer has, and when it said so."""
        ...

    async def learn_dead(self, target: Target, *, at: float) -> None: ...


class Store(Summaries, Taints, Learnt, Protocol):
    """All that is kept but money."""


class Ledger(Protocol):
    """What was spent. A reservation that is never settled counts as spent in full, whatever was killed in between."""

    async def reserve(self, worst: int, *, request: str, key: str, at: float, caps: Caps) -> Reservation | str:
        """Set aside the most that an answer may cost (micro-dollars), or say in words which cap forbids it. Atomic.

        `key` is the name of the client's key, `at` is in seconds since 1970. A ledger that can't be written forbids everything.
        """
        ...

    async def settle(self, reservation: Reservation, cost: int) -> None:
        """Put what it did cost in place of what was reserved; only the first settlement of a reservation counts."""
        ...

    async def spent(self, *, at: float) -> Spent | None:
        """All of it, and this day's; None where the ledger can't be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What went away, came back or was kept, for the audit log: numbers, names and hashes, never content.

    `policy` is a hash of the policy, `key` the name of the client's key, `rules` the findings by rule, `findings` their keyed
    hashes, `reasons` the gate's words without what they are about, `failure` a kind of failure, `cost` micro-dollars (at worst,
    for what goes away).
    """

    event: Literal["away", "back", "kept"]
    request: str
    policy: str
    key: str = ""
    label: str = ""
    reasons: tuple[str, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    target: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    size: int = 0
    cost: int = 0
    failure: str = ""
    reservation: str = ""


class Audit(Protocol):
    """The log of what left the house."""

    async def write(self, entry: AuditEntry) -> bool:
        """Append it; on disk when this returns. False where it can't be written: then nothing may leave."""
        ...
