"""What a template puts around messages, learnt from a few rendered probes, so that a message has a size of its own.

The sizes add up to the whole but for what depends on neighbours: good enough to plan with; what is sent is counted as it
was rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.core import jsontext
from gateway.core.conversation import Conversation, Message, Prose, Role, ToolCall, ToolSpec

Part: TypeAlias = Callable[[str], int]  # tokens of a stretch of text: `Vocabulary.part` or `estimated`
Probe: TypeAlias = Literal["opening", "exchange", "tool", "tools", "call", "calls"]

IMAGE = 768  # tokens that Ollama reckons for a picture when it truncates (0.33.0, server/prompt.go)

_SYSTEM = "Answer in one word."
_ASKED = "Which colour has the sky?"
_ANSWERED = "Blue, by day."
_RESULT = "It rains in Oslo."
_TOOLS = (
    ToolSpec(name="weather", description="Tells the weather.", parameters={"type": "object", "properties": {}}),
    ToolSpec(name="clock", description="Tells the time.", parameters={"type": "object", "properties": {}}),
)
_CALLS = (
    ToolCall(id="call00001", name="weather", arguments='{"town": "Oslo"}'),
    ToolCall(id="call00002", name="clock", arguments='{"town": "Bergen"}'),
)


def probes(model: str) -> Mapping[Probe, Conversation]:
    """The conversations to render, each with the generation prompt, none longer than a few lines."""
    opening = (_said("system", _SYSTEM), _said("user", _ASKED))
    results = tuple(Message(role="tool", content=(Prose(_RESULT),), answers=call.id, name=call.name) for call in _CALLS)

    def asked(*more: Message, tools: int = 0) -> Conversation:
        return Conversation(model=model, messages=(*opening, *more), tools=_TOOLS[:tools])

    return {
        "opening": asked(),
        "exchange": asked(_said("assistant", _ANSWERED), _said("user", _ASKED)),
        "tool": asked(tools=1),
        "tools": asked(tools=2),
        "call": asked(Message(role="assistant", calls=_CALLS[:1]), results[0], tools=2),
        "calls": asked(Message(role="assistant", calls=_CALLS), *results, tools=2),
    }


def _said(role: Role, text: str) -> Message:
    return Message(role=role, content=(Prose(text),))


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSizes:
    """Tokens of a template besides the contents. The defaults are the largest of ten templates' (August 2026), rounded up.

    `opening` is what every prompt has, generation prompt included; `turn` is for each message of a user or an assistant.
    """

    opening: int = 80
    turn: int = 10
    call: int = 30
    result: int = 30
    toolbox: int = 150
    tool: int = 60

    def message(self, message: Message, part: Part) -> int:
        """Tokens of one message where it stands."""
        frame = self.result if message.role == "tool" else self.turn
        spoken = sum(part(text) for text in (message.text, message.thinking) if text)
        called = sum(self.call + part(call.name) + part(call.arguments) for call in message.calls)
        return frame + spoken + called + IMAGE * len(message.images)

    def tools(self, tools: Iterable[ToolSpec], part: Part) -> int:
        """Tokens of the block that offers these tools; 0 for none."""
        sizes = [self.tool + part(_written(tool)) for tool in tools]
        return self.toolbox + sum(sizes) if sizes else 0


def learnt(rendered: Mapping[Probe, str], part: Part) -> FrameSizes:
    """Sizes from the prompts that a server made of the probes. Whatever was not rendered keeps its default."""
    if any(not rendered.get(name) for name in probes("")):
        return FrameSizes()
    size = {name: part(prompt) for name, prompt in rendered.items()}
    first_tool, second_tool = (part(_written(tool)) for tool in _TOOLS)
    first_call, second_call = (part(call.name) + part(call.arguments) + part(_RESULT) for call in _CALLS)
    exchange = size["exchange"] - size["opening"] - part(_ANSWERED) - part(_ASKED)
    tool = size["tools"] - size["tool"] - second_tool
    calling = size["calls"] - size["call"] - second_call
    turn = max(_half(exchange), size["call"] - size["tools"] - first_call - calling)
    return FrameSizes(
        opening=max(0, size["opening"] - part(_SYSTEM) - part(_ASKED)),
        turn=max(0, turn),
        call=max(0, _half(calling)),
        result=max(0, _half(calling)),
        toolbox=max(0, size["tool"] - size["opening"] - first_tool - tool),
        tool=max(0, tool),
    )


def _half(tokens: int) -> int:
    return -(-tokens // 2)


def _written(tool: ToolSpec) -> str:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return jsontext.dumps({"type": "function", "function": described})
