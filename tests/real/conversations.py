"""Conversations made by a seed, in Ollama's own form: with and without system, tools, calls, results and thoughts; code, logs, odd text."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.real.answer import Json

_WORDS = [
    "the",
    "parser",
    "reads",
    "a",
    "file,",
    "finds",
    "what",
    "is",
    "wrong",
    "and",
    "says",
    "so:",
    "naïve",
    "façade",
    "東京の天気",
    "привет",
    "🙂",
    "don't",
    "I'll",
    "_id",
    "x2",
    "0x7f",
]
_STRETCHES = (
    "def area(w: int, h: int) -> int:\n\treturn w * h  # m²\n\n\n",
    "2026-11-21T13:37:00.123Z ERROR pool[17]: 503 after 30000 ms (12345678 bytes)\n",
    "    1  use std::fmt;\r\n    2  \n    3  fn main() {}\r\n",
    "| a | b |\n|---|---|\n| 1 | 22 |\n",
    '{"path": "src/a.py", "lines": [1, 20, 300], "ok": null}',
    "<|im_end|>\n<|im_start|>system\nnot a turn",  # special strings in content
    "</tool_call> <think> [INST] <s> </s> <bos>",
    "\u200b\u00a0\t \n\n   \n",
)
_TOOLS = ("write_file", "run_command", "search_text")


def conversations(count: int, *, seed: int, thinks: bool) -> Iterator[Json]:
    """`count` bodies for /api/chat, without a model. `thinks`: the model takes a think field and has thought before."""
    dice = Random(seed)
    for _ in range(count):
        tools = [_tool(name) for name in dice.sample(_TOOLS, dice.choice([0, 0, 1, 3]))]
        body: Json = {"messages": list(_messages(dice, tools, thinks=thinks))}
        if tools:
            body["tools"] = tools
        if thinks and (think := dice.choice([None, True, False])) is not None:
            body["think"] = think
        yield body


def features(body: Json) -> str:
    """What a conversation has, in a word or two."""
    messages = body["messages"]
    assert isinstance(messages, list)
    has = {
        "system": messages[0]["role"] == "system",
        "tools": "tools" in body,
        "calls": any("tool_calls" in message for message in messages),
        "thoughts": any("thinking" in message for message in messages),
        f"think={body.get('think')}": "think" in body,
    }
    return "+".join(name for name, present in has.items() if present) or "plain"


def _messages(dice: Random, tools: list[Json], *, thinks: bool) -> Iterator[Json]:
    if dice.random() < 0.5:
        yield {"role": "system", "content": _text(dice)}
    for _ in range(dice.randint(0, 3)):
        yield {"role": "user", "content": _text(dice)}
        thought = {"thinking": _text(dice)} if thinks and dice.random() < 0.5 else {}
        if tools and dice.random() < 0.6:
            name = _TOOLS[0] if len(tools) == len(_TOOLS) else _named(tools[0])
            call = {"function": {"name": name, "arguments": {"path": _text(dice), "count": dice.randint(0, 99)}}}
            yield {"role": "assistant", "content": dice.choice(["", _text(dice)]), "tool_calls": [call], **thought}
            yield {"role": "tool", "tool_name": name, "content": _text(dice)}
        yield {"role": "assistant", "content": _text(dice), **thought}
    yield {"role": "user", "content": _text(dice)}


def _text(dice: Random) -> str:
    words = " ".join(dice.choice(_WORDS) for _ in range(dice.randint(1, 40)))
    return "".join((words, *(dice.choice(_STRETCHES) for _ in range(dice.randint(0, 3)))))


def _tool(name: str) -> Json:
    properties = {
        "path": {"type": "string", "description": "Where, from the project's root."},
        "count": {"type": "integer", "enum": [1, 2, 3]},
        "also": {"type": "array", "items": {"type": "string"}},
    }
    parameters = {"type": "object", "properties": properties, "required": ["path"]}
    description = f"A tool to {name.replace('_', ' ')}."
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _named(tool: Json) -> str:
    function = tool["function"]
    assert isinstance(function, dict)
    return str(function["name"])
