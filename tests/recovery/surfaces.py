"""The eight ways in which a client asks for an answer, and what it makes of every byte that comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.testing.client import Answer

Json: TypeAlias = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Seen:
    """An answer as a client understands it. `marks` counts the protocol's own end marks, `odd` tells what no client expects."""

    status: int
    text: str = ""
    thought: str = ""
    calls: list[tuple[str, object]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    marks: int = 0
    errors: list[str] = field(default_factory=list)
    usages: list[tuple[int, int]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    did: tuple[str, ...] = ()
    odd: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not (self.text or self.thought or self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One way of asking."""

    name: str
    path: str
    streams: bool
    read: Callable[[Answer], Seen]
    chats: bool = True  # else there is but a prompt: no tools, no calls

    @property
    def openai(self) -> bool:
        return self.path.startswith("/v1")

    @property
    def tells_thoughts(self) -> bool:
        return self.chats or not self.openai

    def body(
        self, model: str, question: str, *, tools: Sequence[Mapping[str, object]] = (), more: Mapping[str, object]
    ) -> Json:
        """A request; `more` are further fields in this surface's own form."""
        what: Json = {"messages": [{"role": "user", "content": question}]} if self.chats else {"prompt": question}
        asked: Json = {"model": model, **what, "stream": self.streams, **more}
        if tools:
            asked["tools"] = [*tools]
        if self.streams and self.openai:
            asked["stream_options"] = {"include_usage": True}
        return asked


def _openai_stream(answer: Answer) -> Seen:
    if answer.status != 200:
        return _refused(answer)
    seen, pieces = Seen(status=200), dict[int, list[Json]]()
    for event in answer.text.split("\n\n"):
        if seen.marks and event:
            seen.odd.append(f"after [DONE]: {event[:80]}")
        if event.startswith(": holdfast did="):
            seen.did = tuple(event.removeprefix(": holdfast did=").split(", "))
        elif event == "data: [DONE]":
            seen.marks += 1
        elif event.startswith("data: "):
            _openai_chunk(seen, json.loads(event[6:]), pieces)
        elif event and not event.startswith(":"):
            seen.odd.append(f"no event: {event[:80]!r}")
    seen.calls = [_called(parts) for _, parts in sorted(pieces.items())]
    return _unbroken(seen, answer)


def _openai_chunk(seen: Seen, chunk: Json, pieces: dict[int, list[Json]]) -> None:
    if "error" in chunk:
        seen.errors.append(json.dumps(chunk["error"]))
        return
    if seen.errors:
        seen.odd.append("something after an error")
    seen.ids.add(str(chunk["id"]))
    if chunk.get("usage"):
        seen.usages.append(_openai_usage(chunk))
    for choice in _list(chunk["choices"]):
        delta = choice.get("delta", choice)
        assert isinstance(delta, dict)
        if seen.ends and any(delta.values()):
            seen.odd.append("something after the finish reason")
        seen.text += delta.get("content") or delta.get("text") or ""
        seen.thought += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or []:
            pieces.setdefault(call["index"], []).append(call["function"])
        if choice["finish_reason"]:
            seen.ends.append(str(choice["finish_reason"]))


def _called(pieces: list[Json]) -> tuple[str, object]:
    name = "".join(str(piece.get("name") or "") for piece in pieces)
    return name, json.loads("".join(str(piece.get("arguments") or "") for piece in pieces))


def _openai_whole(answer: Answer) -> Seen:
    if answer.status != 200:
        return _refused(answer)
    body = answer.json
    [choice] = _list(body["choices"])
    message = choice.get("message", choice)
    assert isinstance(message, dict)
    text = message.get("content") or message.get("text") or ""
    seen = Seen(status=200, text=text, thought=message.get("reasoning_content") or "")
    functions = [call["function"] for call in message.get("tool_calls") or []]
    seen.calls = [(function["name"], json.loads(function["arguments"])) for function in functions]
    seen.ends, seen.marks, seen.usages = [str(choice["finish_reason"])], 1, [_openai_usage(body)]
    seen.ids.add(str(body["id"]))
    return _unbroken(seen, answer)


def _openai_usage(body: Json) -> tuple[int, int]:
    usage = body["usage"]
    assert isinstance(usage, dict)
    return usage["prompt_tokens"], usage["completion_tokens"]


def _native(answer: Answer) -> Seen:
    if answer.status != 200:
        return _refused(answer)
    seen = Seen(status=200)
    for line in answer.lines:
        if seen.marks or seen.errors:
            seen.odd.append(f"after the end: {line}")
        if "error" in line:
            seen.errors.append(str(line["error"]))
            continue
        message = line.get("message", line)
        assert isinstance(message, dict)
        seen.text += message.get("content") or message.get("response") or ""
        seen.thought += message.get("thinking") or ""
        seen.calls += [
            (call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or []
        ]
        if line["done"]:
            seen.marks += 1
            seen.ends.append(str(line["done_reason"]))
            seen.usages.append((_number(line["prompt_eval_count"]), _number(line["eval_count"])))
            told = line.get("holdfast")
            seen.did = tuple(told["did"]) if isinstance(told, dict) else ()
    return _unbroken(seen, answer)


def _refused(answer: Answer) -> Seen:
    return _unbroken(Seen(status=answer.status, errors=[answer.text or "no words"]), answer)


def _unbroken(seen: Seen, answer: Answer) -> Seen:
    if not seen.did and (told := answer.headers.get("x-holdfast-did")):
        seen.did = tuple(told.split(", "))
    if answer.broken:
        seen.odd.append("the connection broke")
    return seen


def _list(value: object) -> list[Json]:
    assert isinstance(value, list)
    return value


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


SURFACES = (
    Surface(name="openai stream", path="/v1/chat/completions", streams=True, read=_openai_stream),
    Surface(name="openai", path="/v1/chat/completions", streams=False, read=_openai_whole),
    Surface(name="native stream", path="/api/chat", streams=True, read=_native),
    Surface(name="native", path="/api/chat", streams=False, read=_native),
    Surface(name="completions stream", path="/v1/completions", streams=True, read=_openai_stream, chats=False),
    Surface(name="completions", path="/v1/completions", streams=False, read=_openai_whole, chats=False),
    Surface(name="generate stream", path="/api/generate", streams=True, read=_native, chats=False),
    Surface(name="generate", path="/api/generate", streams=False, read=_native, chats=False),
)
