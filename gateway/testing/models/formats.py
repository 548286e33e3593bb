"""Prompt formats: how messages and tools become the text that a model reads, one row per renderer or template.

What matters for a gateway is told apart exactly: whether a trailing assistant message stays open (verbatim, trimmed) or is closed,
whether earlier thoughts are dropped, and what the format itself writes about thinking after the assistant's opening.
A new format is one row in FORMATS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateway.testing.ask import Messages, Think
from gateway.testing.models.dialects import Dialect
from gateway.testing.script import ToolUse, Turn

Trailing: TypeAlias = Literal["verbatim", "trimmed", "closed"]
_CHATML = {role: f"<|im_start|>{role}\n" for role in ("system", "user", "assistant")}
_CALLS_TAUGHT = "\n\nTo call one of them, write exactly this and stop:\n"
_EXAMPLE = ToolUse("tool_name", {"argument": "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One prompt format. `renderer` is the name that the Modelfile's RENDERER line shows, empty where a template is used."""

    name: str
    renderer: str = ""
    begin: str = ""
    openers: Mapping[str, str]
    end: str  # of every message
    result: tuple[str, str] = ("<tool_response>\n", "\n</tool_response>")  # around one tool result
    trailing: Trailing = "closed"
    open_thought: str = ""  # written after the opener when the model is to think
    shut_thought: str = ""  # when it is not
    no_thought: str = ""  # written in an earlier answer that has none
    keeps_thoughts: Literal["all", "since the last question", "none"] = "none"

    @property
    def opener(self) -> str:
        return self.openers["assistant"]

    def render(self, messages: Messages, tools: Messages, think: Think, dialect: Dialect) -> str:
        """The prompt. `think` None means that the model has no such choice."""
        system = [self._tools(tools, dialect)] if tools else []
        system += [_text(message) for message in messages if message["role"] == "system"]
        rest = [message for message in messages if message["role"] != "system"]
        head = self._block("system", "\n\n".join(system)) if system else ""
        body = "".join(self._message(rest, at, think, dialect) for at in range(len(rest)))
        return self.begin + head + body + self._generation(rest, think)

    def _tools(self, tools: Messages, dialect: Dialect) -> str:
        listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
        taught = dialect.write(Turn(calls=(_EXAMPLE,)))
        return f"You can use these tools:\n<tools>\n{listed}\n</tools>{_CALLS_TAUGHT}{taught}"

    def _message(self, messages: Sequence[Mapping[str, object]], at: int, think: Think, dialect: Dialect) -> str:
        message = messages[at]
        match message["role"]:
            case "assistant":
                return self._assistant(messages, at, think, dialect)
            case "tool":
                return self._results(messages, at)
            case role:
                return self._block(str(role), _text(message) + _pictures(message))

    def _assistant(self, messages: Sequence[Mapping[str, object]], at: int, think: Think, dialect: Dialect) -> str:
        message = messages[at]
        turn = Turn(text=self._trimmed(_text(message)), calls=_calls(message))
        left_open = at == len(messages) - 1 and (
            self.trailing == "trimmed" or (self.trailing == "verbatim" and not turn.calls)
        )
        thought = self._thought(messages, at, think, dialect)
        return f"{self.opener}{thought}{dialect.write(turn)}{'' if left_open else self.end}"

    def _thought(self, messages: Sequence[Mapping[str, object]], at: int, think: Think, dialect: Dialect) -> str:
        since = self.keeps_thoughts == "since the last question"
        asked_later = any(message["role"] == "user" for message in messages[at:])
        if self.keeps_thoughts == "none" or (since and (asked_later or not think)):
            return ""
        thought = self._trimmed(str(messages[at].get("thinking") or ""))
        return f"{dialect.think[0]}{thought}{dialect.think[1]}" if thought else self.no_thought

    def _results(self, messages: Sequence[Mapping[str, object]], at: int) -> str:
        first = at == 0 or messages[at - 1]["role"] != "tool"
        last = at == len(messages) - 1 or messages[at + 1]["role"] != "tool"
        opener = self.openers.get("tool", self.openers["user"]) if first else "\n"
        return f"{opener}{self.result[0]}{_text(messages[at])}{self.result[1]}{self.end if last else ''}"

    def _generation(self, messages: Sequence[Mapping[str, object]], think: Think) -> str:
        """What asks for the answer; nothing where a trailing assistant message is taken for its beginning."""
        if messages and messages[-1]["role"] == "assistant" and self.trailing != "closed":
            return ""
        if think is None:
            return self.opener
        return self.opener + (self.open_thought if think else self.shut_thought)

    def _trimmed(self, text: str) -> str:
        return text.strip() if self.trailing == "trimmed" else text

    def _block(self, role: str, text: str) -> str:
        return f"{self.openers.get(role, self.openers['user'])}{text}{self.end}"


def _text(message: Mapping[str, object]) -> str:
    return str(message.get("content") or "")


def _pictures(message: Mapping[str, object]) -> str:
    images = message.get("images")
    return "".join(f"[img-{n}]" for n in range(len(images))) if isinstance(images, list) else ""


def _calls(message: Mapping[str, object]) -> tuple[ToolUse, ...]:
    calls = message.get("tool_calls")
    functions = [call["function"] for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return tuple(ToolUse(str(f.get("name", "")), f.get("arguments") or {}) for f in functions if isinstance(f, dict))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            Format(name="chatml", openers=_CHATML, end="<|im_end|>\n"),
            Format(name="chatml-open", openers=_CHATML, end="<|im_end|>\n", trailing="verbatim"),
            Format(
                name="qwen3-coder", renderer="qwen3-coder", openers=_CHATML, end="<|im_end|>\n", trailing="verbatim"
            ),
            Format(
                name="qwen3",
                renderer="qwen3-vl-thinking",
                openers=_CHATML,
                end="<|im_end|>\n",
                trailing="verbatim",
                shut_thought="<think>\n\n</think>\n\n",
                keeps_thoughts="since the last question",
            ),
            Format(
                name="qwen3.5",
                renderer="qwen3.5",
                openers=_CHATML,
                end="<|im_end|>\n",
                trailing="trimmed",
                open_thought="<think>\n",
                shut_thought="<think>\n\n</think>\n\n",
                no_thought="<think>\n\n</think>\n\n",
                keeps_thoughts="since the last question",
            ),
            Format(
                name="glm-4.7",
                renderer="glm-4.7",
                begin="[gMASK]<sop>",
                openers={
                    "system": "<|system|>",
                    "user": "<|user|>",
                    "assistant": "<|assistant|>",
                    "tool": "<|observation|>",
                },
                end="",
                result=("<tool_response>", "</tool_response>"),
                open_thought="<think>",
                shut_thought="</think>",
                no_thought="</think>",
                keeps_thoughts="all",
            ),
            Format(
                name="harmony",
                openers={role: f"<|start|>{role}<|message|>" for role in ("system", "user", "tool")}
                | {"assistant": "<|start|>assistant"},
                end="<|end|>",
                result=("", ""),
            ),
            Format(
                name="mistral",
                renderer="ministral",
                begin="<s>",
                openers={
                    "system": "[SYSTEM_PROMPT]",
                    "user": "[INST]",
                    "assistant": "[/INST]",
                    "tool": "[TOOL_RESULTS]",
                },
                end="",
                result=("", "[/TOOL_RESULTS]"),
            ),
            Format(
                name="gemma4",
                renderer="gemma4",
                begin="<bos>",
                openers={"system": "<|turn>system\n", "user": "<|turn>user\n", "assistant": "<|turn>model\n"},
                end="<turn|>\n",
            ),
            Format(
                name="deepseek-v3.1",
                renderer="deepseek3.1",
                begin="<｜begin▁of▁sentence｜>",
                openers={"system": "", "user": "<｜User｜>", "assistant": "<｜Assistant｜>"},
                end="",
                open_thought="<think>",
                shut_thought="</think>",
            ),
        )
    }
)
