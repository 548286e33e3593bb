"""What happened to a request, as facts: the log line, the record and the status all come from these. No content, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.budget import Count
from gateway.core.plan import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A request was understood."""

    request: str
    surface: str
    model: str
    caller: str = ""
    agent: str = ""
    session: str = ""
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedOther:
    """The same question was being answered already, or had just failed: this request shares that answer."""

    request: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Its prompt was measured, and made to fit where it did not."""

    request: str
    target: str
    window: int | None
    count: Count
    before: int
    stages: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """An attempt began. `expected`: seconds to its first part, None where the model's speed is not known yet.

    `fresh`: tokens of its prompt that no cache holds, which is the price of having served another session in between.
    """

    request: str
    number: int
    target: str
    mode: Mode
    window: int | None
    after: float = 0.0
    expected: float | None = None
    fresh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPart:
    """The upstream sent its first part. Seconds since the attempt began."""

    request: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """An attempt ended otherwise than well."""

    request: str
    number: int
    kind: str
    detail: str
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Where it goes was decided: the targets in order, and why."""

    request: str
    targets: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A tool call was put right without asking again: how far its text proved it, and each mistake that was mended."""

    request: str
    tool: str
    mends: tuple[str, ...]
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What the first target could not do, the next one is asked for."""

    request: str
    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that the operator should know; `request` is empty where it belongs to none."""

    request: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The client has its answer, or an error, or has left."""

    request: str
    how: str
    seconds: float
    first_part: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tries: int = 0
    did: tuple[str, ...] = ()
    detail: str = ""
    cost: int = 0  # micro-dollars


Event: TypeAlias = Came | JoinedOther | Fitted | Began | FirstPart | Broke | Routed | Mended | Moved | Noticed | Ended
