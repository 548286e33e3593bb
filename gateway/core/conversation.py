"""What was asked, in nobody's dialect: messages, tools and how the answer is wanted. Frozen facts, no behaviour.

Fields that no code here models ride along in `extra`, untouched, so that an upstream that knows them still gets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Extra: TypeAlias = Mapping[str, object]
NOTHING: Extra = MappingProxyType({})


def _nothing() -> Extra:
    return NOTHING


Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Prose:
    """A stretch of text in a message."""

    text: str
    extra: Extra = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, inline: `data` is base64, `mime` like `image/png` (empty where the client did not say)."""

    data: str
    mime: str = ""


Content: TypeAlias = Prose | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that an assistant made earlier. `arguments` is the JSON text as it was received, digits and all."""

    id: str
    name: str
    arguments: str
    extra: Extra = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool that the client offers; `parameters` is its JSON Schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, object] = field(default_factory=_nothing)
    extra: Extra = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `answers` is the id of the call that a tool message is the result of; `name` is its tool or speaker."""

    role: Role
    content: tuple[Content, ...] = ()
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    name: str = ""
    extra: Extra = field(default_factory=_nothing)

    @property
    def text(self) -> str:
        """The prose of the message, its stretches joined by newlines (llama.cpp joins them so too)."""
        match self.content:
            case (Prose(text),):
                return text
            case content:
                return "\n".join([part.text for part in content if isinstance(part, Prose)])

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple([part for part in self.content if isinstance(part, Image)])


@dataclass(frozen=True, slots=True)
class Named:
    """The tool choice `this tool and no other`."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | Named
Think: TypeAlias = bool | str | None  # on, off, an effort like "high", or not said


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to draw tokens; None means that the client did not say, so that the model's own setting holds."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A bare prompt in place of messages (`/v1/completions`, `/api/generate`)."""

    prompt: str
    suffix: str = ""
    system: str = ""
    raw: bool = False
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One question to a model. `output` is "json" or a JSON Schema where structured output is wanted.

    `options` are the Ollama runner options that the client sent beyond `sampling` (`num_ctx` among them: a wish).
    """

    model: str
    messages: tuple[Message, ...] = ()
    completion: Completion | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling = field(default_factory=Sampling)
    output: Literal["json"] | Mapping[str, object] | None = None
    think: Think = None
    options: Extra = field(default_factory=_nothing)
    extra: Extra = field(default_factory=_nothing)
