"""How the simulated models write: thoughts and tool calls as text, one row per dialect. A second reading, not the gateway's own.

A new dialect is one row in DIALECTS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from gateway.testing.script import ToolUse, Turn

WriteCall: TypeAlias = Callable[[ToolUse], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one family writes. `control` tokens vanish from raw output of a new Ollama, `user_defined` ones stay."""

    name: str
    call: WriteCall
    before_call: str = "\n"  # between the text, or an earlier call, and a call
    around_calls: tuple[str, str] = ("", "")
    think: tuple[str, str] = ("<think>\n", "\n</think>\n\n")
    thinks_aloud: bool = True  # told to think, it writes a thought even where it has none
    before_text: str = ""  # what stands before every visible text, as in harmony
    end: str = "<|im_end|>"
    control: tuple[str, ...] = ("<|im_end|>", "<|im_start|>", "<|endoftext|>")
    user_defined: tuple[str, ...] = ()

    def write(self, turn: Turn) -> str:
        """The whole turn as the model generates it, thought included."""
        if turn.raw:
            return turn.raw
        thought = f"{self.think[0]}{turn.thinking}{self.think[1]}" if turn.thinking else ""
        text = f"{self.before_text}{turn.text}" if turn.text else ""
        return thought + text + self._calls(turn)

    def _calls(self, turn: Turn) -> str:
        if not turn.calls:
            return ""
        written = self.before_call.join(self.call(use) for use in turn.calls)
        gap = self.before_call if turn.text else ""
        return f"{gap}{self.around_calls[0]}{written}{self.around_calls[1]}"


def plain(value: object) -> str:
    """A value as it stands between tags: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _xml(use: ToolUse) -> str:
    parameters = "".join(f"<parameter={key}>\n{plain(value)}\n</parameter>\n" for key, value in use.arguments.items())
    return f"<tool_call>\n<function={use.name}>\n{parameters}</function>\n</tool_call>"


def _hermes(use: ToolUse) -> str:
    return f"<tool_call>\n{_json({'name': use.name, 'arguments': use.arguments})}\n</tool_call>"


def _glm(use: ToolUse) -> str:
    pairs = (f"<arg_key>{key}</arg_key><arg_value>{plain(value)}</arg_value>" for key, value in use.arguments.items())
    return f"<tool_call>{use.name}{''.join(pairs)}</tool_call>"


def _harmony(use: ToolUse) -> str:
    header = f"<|channel|>commentary to=functions.{use.name} <|constrain|>json<|message|>"
    return header + _json(use.arguments)


def _mistral(use: ToolUse) -> str:
    return f"[TOOL_CALLS]{use.name}[ARGS]{_json(use.arguments)}"


def _gemma(use: ToolUse) -> str:
    pairs = ",".join(f"{key}:{_gemma_value(value)}" for key, value in use.arguments.items())
    return f"<|tool_call>call:{use.name}{{{pairs}}}<tool_call|>"


def _gemma_value(value: object) -> str:
    match value:
        case str():
            return f'<|"|>{value}<|"|>'
        case Mapping():
            return "{" + ",".join(f"{key}:{_gemma_value(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_gemma_value, value)) + "]"
        case _:
            return _json(value)


def _deepseek(use: ToolUse) -> str:
    return f"<｜tool▁call▁begin｜>{use.name}<｜tool▁sep｜>{_json(use.arguments)}<｜tool▁call▁end｜>"


def _llama(use: ToolUse) -> str:
    return _json({"name": use.name, "parameters": use.arguments})


_TOOL_TAGS = ("<tool_call>", "</tool_call>", "<think>", "</think>")
_DEEPSEEK_TAGS = (
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁sep｜>",
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Dialect(name="qwen3-coder", call=_xml, user_defined=_TOOL_TAGS),
            Dialect(name="hermes", call=_hermes, user_defined=_TOOL_TAGS),
            Dialect(
                name="glm-4.7",
                call=_glm,
                before_call="",
                think=("<think>", "</think>"),
                end="<|user|>",
                control=("<|user|>", "<|assistant|>", "<|system|>", "<|observation|>", "[gMASK]", "<sop>"),
                user_defined=(*_TOOL_TAGS, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
            ),
            Dialect(
                name="harmony",
                call=_harmony,
                before_call="<|end|><|start|>assistant",
                think=("<|channel|>analysis<|message|>", "<|end|><|start|>assistant"),
                thinks_aloud=False,
                before_text="<|channel|>final<|message|>",
                end="<|return|>",
                control=(
                    "<|return|>",
                    "<|call|>",
                    "<|start|>",
                    "<|end|>",
                    "<|message|>",
                    "<|channel|>",
                    "<|constrain|>",
                ),
            ),
            Dialect(
                name="mistral",
                call=_mistral,
                before_call="",
                think=("[THINK]", "[/THINK]"),
                end="</s>",
                control=("</s>", "<s>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[ARGS]", "[THINK]", "[/THINK]"),
            ),
            Dialect(
                name="gemma4",
                call=_gemma,
                before_call="",
                think=("<|channel>thought\n", "<channel|>"),
                thinks_aloud=False,
                end="<turn|>",
                control=("<turn|>", "<|turn>", "<bos>"),
                user_defined=("<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>"),
            ),
            Dialect(
                name="deepseek-v3.1",
                call=_deepseek,
                before_call="",
                around_calls=("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
                think=("<think>", "</think>"),
                end="<｜end▁of▁sentence｜>",
                control=(
                    "<｜end▁of▁sentence｜>",
                    "<｜begin▁of▁sentence｜>",
                    "<｜User｜>",
                    "<｜Assistant｜>",
                    *_DEEPSEEK_TAGS,
                ),
                user_defined=("<think>", "</think>"),
            ),
            Dialect(name="llama3-json", call=_llama, end="<|eot_id|>", control=("<|eot_id|>", "<|begin_of_text|>")),
        )
    }
)
