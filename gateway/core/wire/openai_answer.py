"""The OpenAI chat answer, both ways: an upstream's event stream to parts, and parts to an event stream or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.core import jsontext
from gateway.core.errors import Problem
from gateway.core.stream import Call, CallPiece, Did, Part, Reasoning, Stop, StopReason, Text, Usage
from gateway.core.wire.fields import is_object
from gateway.core.wire.lines import Events, LineTooLong
from gateway.core.wire.records import count_of, record_of
from gateway.core.wire.tools import arguments_text
from gateway.core.wire.whole import did_json, whole_of

FINGERPRINT = "fp_holdfast"
_REASONS = {
    "stop": StopReason.STOP,
    "stop_sequence": StopReason.STOP,
    "end_turn": StopReason.STOP,
    "eos": StopReason.STOP,
    "eos_token": StopReason.STOP,
    "length": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "content_filter": StopReason.CONTENT_FILTER,
}


def heartbeat(expected: float | None) -> bytes:
    """What keeps a stream alive that has nothing to say; `expected` seconds until its first words, None: not known."""
    if expected is None:
        return b": holdfast is waiting\n\n"
    return f": holdfast is waiting, about {expected:.0f} s for the first words\n\n".encode()


class Decoder:
    """An upstream's event stream, of chats or of bare completions, to parts. Usage comes once, last.

    `error` is the text of an error event or of a broken one, after which nothing follows; `done` says that `[DONE]` came.
    The true end is a finish reason that we know; `[DONE]` alone is none (LiteLLM and Bifrost send it after a dead upstream).
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self.done = False
        self._events = Events()
        self._usage: Usage | None = None

    def feed(self, item: bytes) -> list[Part]:
        parts: list[Part] = []
        try:
            for data in self._events.feed(item):
                self._read(data, parts)
        except LineTooLong:
            self.error = "an event of the upstream is too long"
        return parts

    def close(self) -> list[Part]:
        """A last event that broke off is no error of its own: the stream was cut."""
        parts: list[Part] = []
        for data in self._events.close():
            self._read(data, parts, cut=True)
        self._count(parts)
        return parts

    def _read(self, data: bytes, parts: list[Part], *, cut: bool = False) -> None:
        if self.error is not None or self.done:
            return
        if data.strip() == b"[DONE]":
            self.done = True
            self._count(parts)
            return
        try:
            chunk = record_of(data)
        except jsontext.NotJson as error:
            self.error = None if cut else f"an event of the upstream is {error}"
            return
        if not is_object(chunk):
            return
        if chunk.get("error") or chunk.get("object") == "error":
            self.error = error_text(chunk.get("error") or chunk)
            return
        self._say(chunk, parts)
        usage = chunk.get("usage")
        if usage is not None and is_object(usage):
            self._usage = _usage(usage)

    def _say(self, chunk: Mapping[str, object], parts: list[Part]) -> None:
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not is_object(choice):
                continue
            delta, text, reason = choice.get("delta"), choice.get("text"), choice.get("finish_reason")
            if is_object(delta):
                _say_delta(delta, parts)
            elif text and isinstance(text, str):
                parts.append(Text(text))
            if reason:
                self._end(str(reason), parts)

    def _end(self, reason: str, parts: list[Part]) -> None:
        if reason in _REASONS:
            parts.append(Stop(_REASONS[reason]))
        else:  # `error` (OpenRouter), `abort` (vLLM, SGLang): an end that is none
            self.error = f"the upstream ended with the finish reason {reason}"

    def _count(self, parts: list[Part]) -> None:
        """The last usage of those told: some servers repeat it with every chunk."""
        if self._usage is not None and self.error is None:
            parts.append(self._usage)
        self._usage = None


def error_text(error: object) -> str:
    """The words of an error in any of the shapes that servers use."""
    match error:
        case str():
            return error
        case {"message": str(message)} | {"error": {"message": str(message)}} | {"error": str(message)}:
            return message
        case _:
            return jsontext.dumps(error)[:500]


def _say_delta(delta: Mapping[str, object], parts: list[Part]) -> None:
    thought, text = delta.get("reasoning_content") or delta.get("reasoning"), delta.get("content")
    if thought and isinstance(thought, str):
        parts.append(Reasoning(thought))
    if text and isinstance(text, str):
        parts.append(Text(text))
    calls = delta.get("tool_calls")
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        if is_object(call):
            parts.append(_call_piece(call, place))


def _call_piece(call: Mapping[str, object], place: int) -> CallPiece:
    function, index = call.get("function"), call.get("index")
    known = function if is_object(function) else {}
    arguments = known.get("arguments")
    return CallPiece(
        index=index if isinstance(index, int) else place,
        id=str(call.get("id") or ""),
        name=str(known.get("name") or ""),
        arguments="" if arguments is None else arguments_text(arguments),
    )


def _usage(usage: Mapping[str, object]) -> Usage:
    details = usage.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=count_of(usage, "prompt_tokens"),
        completion_tokens=count_of(usage, "completion_tokens"),
        cached_tokens=count_of(details, "cached_tokens") if is_object(details) else 0,
    )


# -- the way back: to a client that speaks this format ---------------------------------------------------------------


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

    def feed(self, item: Part) -> Sequence[bytes]:
        match item:
            case Text(text):
                return (self._delta(f'"content":{jsontext.quoted(text)}'),)
            case Reasoning(text):
                return (self._delta(f'"{self._thought}":{jsontext.quoted(text)}'),)
            case Call():
                call = _call_text(item, self._calls)
                self._calls += 1
                return (self._delta(f'"content":null,"tool_calls":[{call}]'),)
            case Usage():
                self._usage = item
            case Did(words):
                self._did = words
            case Stop(reason):
                return (self._end(reason),)
            case _:
                pass
        return ()

    def close(self) -> Sequence[bytes]:
        return ()

    def _delta(self, fields: str) -> bytes:
        role, self._role = self._role, ""
        return jsontext.line(f'{self._open}{role}{fields}}},"finish_reason":null}}]}}\n\n')

    def _end(self, reason: StopReason) -> bytes:
        role, self._role = self._role, ""
        delta = f'{role}"content":""' if role else ""
        last = f'{self._open}{delta}}},"finish_reason":"{reason}"}}]}}\n\n'
        if self._wants_usage:
            last += f'{self._head}],"usage":{jsontext.dumps(usage_json(self._usage))}}}\n\n'
        return jsontext.line(last) + tail(self._did)


def tail(did: Sequence[str]) -> bytes:
    """What ends a stream after its last chunk: a comment that says what the gateway did, then `[DONE]`."""
    said = f": holdfast did={', '.join(did)}\n\n" if did else ""
    return f"{said}data: [DONE]\n\n".encode()


def _call_text(call: Call, index: int) -> str:
    """A whole call as one delta."""
    function = f'{{"name":{jsontext.quoted(call.name)},"arguments":{jsontext.quoted(call.arguments)}}}'
    return f'{{"index":{index},"id":{jsontext.quoted(call.id)},"type":"function","function":{function}}}'


def usage_json(usage: Usage) -> dict[str, object]:
    said: dict[str, object] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_tokens:
        said["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return said


def encode_whole(parts: Sequence[Part], envelope: Envelope) -> bytes:
    """The answer as one JSON object."""
    whole = whole_of(parts)
    message: dict[str, object] = {"role": "assistant", "content": whole.text or (None if whole.calls else "")}
    if whole.thought:
        message[envelope.thought] = whole.thought
    if whole.calls:
        message["tool_calls"] = [_call_json(call) for call in whole.calls]
    answer = {
        "id": envelope.id,
        "object": "chat.completion",
        "created": envelope.created,
        "model": envelope.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{"index": 0, "message": message, "finish_reason": whole.reason}],
        "usage": usage_json(whole.usage),
    }
    return jsontext.dump(answer | did_json(whole.did))


def _call_json(call: Call) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def problem_json(problem: Problem) -> dict[str, object]:
    """The error object of this format."""
    error = {"message": problem.message, "type": problem.kind.type, "param": problem.param, "code": problem.code}
    return {"error": {**error, **problem.extra}}


def problem_event(problem: Problem) -> bytes:
    """The error inside a stream whose headers have gone; nothing follows it."""
    return jsontext.line(f"data: {jsontext.dumps(problem_json(problem))}\n\n")
