"""The stand-in's own chat: ChatML in, Hermes tool calls out, in the deltas of llama.cpp's /v1/chat/completions.

A call that is cut goes out with the part of its arguments that was there, as llama.cpp does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

Json = dict[str, object]

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"\s*,\s*"arguments"\s*:\s*')


def render(body: Json) -> str:
    """The prompt for a chat request; a trailing assistant message is left open."""
    messages = [message for message in _list(body.get("messages")) if isinstance(message, dict)]
    turns = [*_tools(body), *(_turn(str(message["role"]), _text(message)) for message in messages)]
    if messages and messages[-1]["role"] == "assistant":
        return "".join(turns).removesuffix("<|im_end|>\n")
    return "".join(turns) + "<|im_start|>assistant\n"


def deltas(texts: Iterable[str]) -> Iterator[Json]:
    """Text before the first call as it comes, then each call: its name, then its arguments as they were written."""
    whole, sent = "", 0
    for text in texts:
        whole += text
        end = whole.find(_OPEN) if _OPEN in whole else len(whole) - _overlap(whole)
        if end > sent:
            yield {"content": whole[sent:end]}
            sent = end
    calls = whole.split(_OPEN)[1:]
    for index, call in enumerate(calls):
        yield from _call(index, call)


def _call(index: int, text: str) -> Iterator[Json]:
    name = _NAME.search(text)
    if name is None:
        return
    arguments, closed, _ = text[name.end() :].partition(_CLOSE)
    if closed:
        arguments = arguments.rstrip().removesuffix("}")
    yield {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name[1]}}]}
    yield {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}


def _overlap(text: str) -> int:
    """How many characters at the end could begin a call."""
    return next((size for size in range(len(_OPEN) - 1, 0, -1) if text.endswith(_OPEN[:size])), 0)


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


def _tools(body: Json) -> list[str]:
    tools = _list(body.get("tools"))
    return [_turn("system", "# Tools\n" + "\n".join(json.dumps(tool) for tool in tools))] if tools else []


def _text(message: Json) -> str:
    content = str(message.get("content") or "")
    calls = "".join(f"\n{_OPEN}\n{json.dumps(_function(call))}\n{_CLOSE}" for call in _list(message.get("tool_calls")))
    return content + calls


def _function(call: object) -> Json:
    function = call["function"] if isinstance(call, dict) else {}
    return {"name": function.get("name"), "arguments": json.loads(function.get("arguments") or "{}")}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
