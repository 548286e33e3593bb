"""The OpenAI chat answer, both ways: an upstream's event stream to parts, and parts to an event stream or one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.core import jsontext
from gateway.core.errors import Problem
from gateway.core.stream import Call, CallPiece, Did, Part, Reasoning, Stop, StopReason, Text, Usage
from gateway.core.wire.fields import is_object
from gateway.core.wire.lines import Events

FINGERPRINT = "fp_holdfast"
HEARTBEAT = b": holdfast is waiting\n\n"


class Decoder:
    """An upstream's event stream, of chats or of bare completions, to parts.

    `error` is the text of an error event or of a broken one, after which nothing follows; `done` says that `[DONE]` came.
    The true end is a finish reason; `[DONE]` alone is not one (LiteLLM and Bifrost send it after a dead upstream).
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self.done = False
        self._events = Events()

    def feed(self, item: bytes) -> Iterator[Part]:
        for data in self._events.feed(item):
            yield from self._read(data)

    def close(self) -> Iterator[Part]:
        for data in self._events.close():
            yield from self._read(data)

    def _read(self, data: bytes) -> Iterator[Part]:
        if self.error is not None or self.done:
            return
        if data.strip() == b"[DONE]":
            self.done = True
            return
        try:
            chunk = jsontext.loads(data)
        except jsontext.NotJson as error:
            self.error = f"an event of the upstream is {error}"
            return
        if not is_object(chunk):
            return
        if chunk.get("error"):
            self.error = error_text(chunk["error"])
            return
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if is_object(choice):
                yield from _choice(choice)
        if is_object(usage := chunk.get("usage")):
            yield _usage(usage)


def error_text(error: object) -> str:
    """The words of an error in any of the shapes that servers use."""
    match error:
        case str():
            return error
        case {"message": str(message)} | {"error": {"message": str(message)}} | {"error": str(message)}:
            return message
        case _:
            return jsontext.dumps(error)[:500]


def _choice(choice: Mapping[str, object]) -> Iterator[Part]:
    delta = choice.get("delta")
    if is_object(delta):
        yield from _delta(delta)
    elif isinstance(text := choice.get("text"), str) and text:
        yield Text(text)
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason:
        yield Stop(_REASONS.get(reason, StopReason.STOP))


_REASONS = {
    "length": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "content_filter": StopReason.CONTENT_FILTER,
}


def _delta(delta: Mapping[str, object]) -> Iterator[Part]:
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(thought, str) and thought:
        yield Reasoning(thought)
    text = delta.get("content")
    if isinstance(text, str) and text:
        yield Text(text)
    calls = delta.get("tool_calls")
    for place, call in enumerate(calls if isinstance(calls, list) else []):
        if is_object(call):
            yield _call_piece(call, place)


def _call_piece(call: Mapping[str, object], place: int) -> CallPiece:
    function = call.get("function")
    known = function if is_object(function) else {}
    index, arguments = call.get("index"), known.get("arguments")
    text = arguments if isinstance(arguments, str) else "" if arguments is None else jsontext.dumps(arguments)
    return CallPiece(
        index=index if isinstance(index, int) else place,
        id=str(call.get("id") or ""),
        name=str(known.get("name") or ""),
        arguments=text,
    )


def _usage(usage: Mapping[str, object]) -> Usage:
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if is_object(details) else 0
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(cached),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every chunk of one answer repeats. `created` is in seconds; `thought` is the field that reasoning goes out in."""

    id: str
    created: int
    model: str
    usage: bool = False
    thought: Literal["reasoning_content", "reasoning"] = "reasoning_content"


class StreamEncoder:
    """Parts to server-sent events. One finish reason, usage last where asked for, then `[DONE]`; no chunk has an `error` key."""

    def __init__(self, envelope: Envelope) -> None:
        self._thought = envelope.thought
        self._wants_usage = envelope.usage
        self._usage = Usage()
        self._did: tuple[str, ...] = ()
        self._calls = 0
        self._role = '"role":"assistant",'
        head = jsontext.dumps(
            {
                "id": envelope.id,
                "object": "chat.completion.chunk",
                "created": envelope.created,
                "model": envelope.model,
                "system_fingerprint": FINGERPRINT,
            }
        )
        self._head = f'data: {head[:-1]},"choices":['
        self._open = self._head + '{"index":0,"delta":{'

    def feed(self, item: Part) -> Iterator[bytes]:
        match item:
            case Text(text):
                yield self._delta(f'"content":{jsontext.quoted(text)}')
            case Reasoning(text):
                yield self._delta(f'"{self._thought}":{jsontext.quoted(text)}')
            case Call():
                yield self._delta(f'"content":null,"tool_calls":[{call_text(item, self._calls)}]')
                self._calls += 1
            case Usage():
                self._usage = item
            case Did(words):
                self._did = words
            case Stop(reason):
                yield self._end(reason)
            case _:
                return

    def close(self) -> Iterator[bytes]:
        return iter(())

    def _delta(self, fields: str) -> bytes:
        role, self._role = self._role, ""
        return f'{self._open}{role}{fields}}},"finish_reason":null}}]}}\n\n'.encode()

    def _end(self, reason: StopReason) -> bytes:
        role, self._role = self._role, ""
        delta = f'{role}"content":""' if role else ""
        last = f'{self._open}{delta}}},"finish_reason":"{reason}"}}]}}\n\n'
        if self._wants_usage:
            last += f'{self._head}],"usage":{jsontext.dumps(usage_json(self._usage))}}}\n\n'
        if self._did:
            last += f": holdfast did={', '.join(self._did)}\n\n"
        return f"{last}data: [DONE]\n\n".encode()


def call_text(call: Call, index: int) -> str:
    """A whole call as one delta."""
    function = f'{{"name":{jsontext.quoted(call.name)},"arguments":{jsontext.quoted(call.arguments)}}}'
    return f'{{"index":{index},"id":{jsontext.quoted(call.id)},"type":"function","function":{function}}}'


def usage_json(usage: Usage) -> dict[str, object]:
    total = usage.prompt_tokens + usage.completion_tokens
    said: dict[str, object] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }
    if usage.cached_tokens:
        said["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return said


def encode_whole(parts: Sequence[Part], envelope: Envelope) -> bytes:
    """The answer as one JSON object."""
    message: dict[str, object] = {"role": "assistant"}
    text = "".join(part.text for part in parts if isinstance(part, Text))
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
    calls = [part for part in parts if isinstance(part, Call)]
    message["content"] = text or (None if calls else "")
    if thought:
        message[envelope.thought] = thought
    if calls:
        message["tool_calls"] = [_call_json(call) for call in calls]
    reason = next((part.reason for part in parts if isinstance(part, Stop)), StopReason.LENGTH)
    usage = next((part for part in parts if isinstance(part, Usage)), Usage())
    did = next((part.words for part in parts if isinstance(part, Did)), ())
    answer: dict[str, object] = {
        "id": envelope.id,
        "object": "chat.completion",
        "created": envelope.created,
        "model": envelope.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage_json(usage),
    }
    if did:
        answer["holdfast"] = {"did": list(did)}
    return jsontext.dump(answer)


def _call_json(call: Call) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def problem_json(problem: Problem) -> dict[str, object]:
    """The error object of this format."""
    error = {"message": problem.message, "type": problem.kind.type, "param": problem.param, "code": problem.code}
    return {"error": {**error, **problem.extra}}


def problem_event(problem: Problem) -> bytes:
    """The error inside a stream whose headers have gone; nothing follows it."""
    return b"data: " + jsontext.dump(problem_json(problem)) + b"\n\n"
