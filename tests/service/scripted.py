"""A scripted upstream for tests of the service: a model that means to say one text, and attempts that die where told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from gateway.core.budget import Count
from gateway.core.conversation import Conversation, Message, ToolSpec
from gateway.core.events import Event
from gateway.core.failures import Failure, FailureKind
from gateway.core.kept import Kept
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.stream import Part, Stop, StopReason, Text, Usage
from gateway.ports import AuditEntry, Embeddings, Listed, UpstreamFailed
from gateway.service.asked import Asked
from gateway.service.prompt.fitting import Fitting
from gateway.service.targets.away import Away
from gateway.service.targets.road import Map, Road
from gateway.service.turn.conductor import Conductor
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.world import World
from gateway.store.memory import MemoryLedger, MemoryStore
from gateway.testing.fake_clock import LeapingClock

PROMPT = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True, slots=True)
class Death:
    """How an attempt ends: after so many characters of what it had to say, with a failure, or with `length`."""

    after: int
    kind: FailureKind = FailureKind.CRASHED


@dataclass(slots=True)
class ScriptedDriver:
    """Says `text`, in pieces of `piece` characters; each attempt meets the next of `deaths`, then none."""

    text: str
    deaths: list[Death] = field(default_factory=list)
    piece: int = 5
    slow: bool = False
    modes: Sequence[Mode] = (Mode.PREFILL, Mode.RAW)
    closes: bool = False
    renders: bool = True
    window: int | None = 8192
    attempts: list[Try] = field(default_factory=list)
    open: int = 0
    prints_control: bool = True

    async def alive(self) -> str:
        return "scripted"

    async def models(self) -> Sequence[Listed]:
        return [Listed("m", {"name": "m", "digest": "d"})]

    async def describe(self, model: str) -> ModelFacts:
        return ModelFacts(name=model, digest="d", family="qwen2", trained=self.window, configured=self.window)

    async def loaded(self) -> Sequence[Loaded]:
        return []

    async def load(self, model: str, *, window: int | None) -> None:
        return

    async def unload(self, model: str) -> None:
        return

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        return None

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        return None

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        if not self.renders:
            return None
        last = conversation.messages[-1]
        if last.role != "assistant":
            return PROMPT
        return PROMPT + last.text + ("<|im_end|>\n<|im_start|>assistant\n" if self.closes else "")

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        self.attempts.append(attempt)
        at, made, text = self._start(attempt), 0, self.text
        death = self.deaths.pop(0) if self.deaths else None
        self.open += 1
        try:
            while at < len(text):
                if death is not None and made >= death.after:
                    break
                size = self.piece if death is None else min(self.piece, death.after - made)
                await asyncio.sleep(0.001 if self.slow else 0)
                yield [Text(text[at : at + size])]
                at, made = at + size, made + size
            if death is None:
                yield [Usage(prompt_tokens=10, completion_tokens=made), Stop(StopReason.STOP)]
            elif death.kind is FailureKind.CAPPED:
                yield [Usage(prompt_tokens=10, completion_tokens=made), Stop(StopReason.LENGTH)]
            else:
                raise UpstreamFailed(Failure(death.kind, "scripted"))
        finally:
            self.open -= 1

    def _start(self, attempt: Try) -> int:
        match attempt.mode:
            case Mode.FRESH | Mode.REPLAY | Mode.SCHEMA:
                return 0
            case Mode.PREFILL:
                assert self.text.startswith(attempt.text), "a prefill that the model never wrote"
                return len(attempt.text)
            case Mode.RAW | Mode.REMAKE:
                so_far = attempt.prompt.removeprefix(PROMPT)
                assert self.text.startswith(so_far), "a raw prompt that the model never wrote"
                return len(so_far)

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
        return Embeddings([[0.0] for _ in texts])

    async def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        yield body

    async def close(self) -> None:
        return


@dataclass(slots=True)
class Journal:
    """Keeps what it is told."""

    events: list[Event] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def note(self, event: Event) -> None:
        self.events.append(event)

    def failed(self, request: str, error: BaseException) -> None:
        raise AssertionError("the gateway itself failed") from error

    def keep(self, request: str, kept: Kept) -> None:
        self.kept.append(kept)

    def show(self, request: str) -> Mapping[str, object] | None:
        return None

    def latest(self, count: int) -> Sequence[Mapping[str, object]]:
        return []


def world(journal: Journal) -> World:
    """A world whose clock leaps and whose dice always fall alike."""
    ids = count()
    return World(
        clock=LeapingClock(),
        journal=journal,
        dice=lambda: 0.5,
        new_id=lambda: f"id{next(ids)}",
        wall=lambda: 0.0,
        store=MemoryStore(),
    )


@dataclass(slots=True)
class Audited:
    """Keeps what it is told; it can't be written where `broken`."""

    entries: list[AuditEntry] = field(default_factory=list)
    broken: bool = False

    async def write(self, entry: AuditEntry) -> bool:
        self.entries.append(entry)
        return not self.broken


def conductor_of(
    asked: Asked, drivers: Mapping[str, ScriptedDriver], here: World, *, counter: Bytes | None = None
) -> Conductor:
    """A conductor over these upstreams, for whom nothing may leave the house."""
    upstreams = Upstreams(drivers, asked.policy, here)
    fitting = Fitting(upstreams, counter or Bytes())
    away = Away(rules=asked.policy.cloud, leaving=None, ledger=MemoryLedger(), audit=Audited(), world=here)
    road = Road(asked, Map(upstreams, fitting, away))
    return Conductor(asked, road=road, upstreams=upstreams, fitting=fitting, world=here)


class Bytes:
    """Counts a token for three bytes, and says that it is a guess."""

    opening = 4

    async def exact(self, prompt: str, *, model: str, digest: str, driver: object) -> int | None:
        return None

    def estimate(self, conversation: Conversation, rendered: str | None, *, model: str) -> Count:
        texts = [rendered] if rendered is not None else [message.text for message in conversation.messages]
        return Count(sum(len(text.encode()) for text in texts) // 3 + 1, "estimated", 0)

    def observe(
        self, conversation: Conversation, rendered: str | None, count: Count, *, model: str, actual: int
    ) -> str:
        return ""

    async def sizes(self, *, model: str, digest: str, driver: object, probe: Try) -> Bytes:
        return self

    def tools(self, tools: tuple[ToolSpec, ...]) -> int:
        return 10 * len(tools)

    def message(self, message: Message) -> int:
        return len(message.text.encode()) // 3 + 4
