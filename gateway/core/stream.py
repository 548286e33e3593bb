"""The parts of an assistant turn as it streams. Every upstream's bytes become these, and every client's bytes come from these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class StopReason(StrEnum):
    """Why a turn ended, in the words of the OpenAI API."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"


class Proof(StrEnum):
    """How far a tool call is proven by the text that it was read from."""

    COMPLETE = "complete"
    CLOSERS_ONLY = "closers_only"  # every argument is proven, only the markup that ends the call is missing
    REQUIRED_COMPLETE = "required_complete"  # every required argument is proven, an optional one may have followed
    UNPROVEN = "unproven"  # some argument's end, or the name, is a guess


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the visible answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's thought."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPiece:
    """A piece of a tool call as an upstream that parses calls itself streams it; pieces of one call share `index`."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A whole tool call. `arguments` is JSON text of an object; `mends` names what was put right to read it."""

    id: str
    name: str
    arguments: str
    proof: Proof = Proof.COMPLETE
    mends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A call whose text is all there but whose meaning is not certain: it is asked for again, never guessed."""

    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What the model really wrote, markup included: the side channel of an upstream that hides or drops what it parses."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts and, where the upstream tells them, its times in seconds (0.0: not told)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    load_seconds: float = 0.0
    prompt_seconds: float = 0.0
    completion_seconds: float = 0.0
    model: str = ""  # that answered, where the upstream names it (a cloud may answer with another than was asked for)


@dataclass(frozen=True, slots=True)
class Did:
    """What the gateway did for this turn, in stable words (`continued`, `mended`, …); comes once, before the stop."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The upstream's true end of the turn."""

    reason: StopReason


Part: TypeAlias = Text | Reasoning | CallPiece | Call | Unreadable | Verbatim | Usage | Did | Stop
