"""Ollama's native answer, both ways: NDJSON of `/api/chat` and `/api/generate` to parts, and parts to NDJSON or one object."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.core import jsontext
from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage, Verbatim
from gateway.core.wire.fields import is_object
from gateway.core.wire.lines import Lines, LineTooLong
from gateway.core.wire.records import count_of, record_of
from gateway.core.wire.tools import arguments_object, arguments_text
from gateway.core.wire.whole import did_json, whole_of

Kind: TypeAlias = Literal["chat", "generate"]
_NANO = 1_000_000_000


class Decoder:
    """NDJSON of an upstream Ollama to parts. `error` is the text of an error line, after which nothing follows.

    The true end is a line with `done: true`; an answer without one failed, whatever its HTTP status.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self._lines = Lines()
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, item: bytes) -> list[Part]:
        parts: list[Part] = []
        try:
            for line in self._lines.feed(item):
                self._read(line, parts)
        except LineTooLong:
            self.error = "a line of the stream is too long"
        return parts

    def close(self) -> list[Part]:
        """A last line that broke off is no error of its own: the stream was cut."""
        parts: list[Part] = []
        for line in self._lines.close():
            self._read(line, parts, cut=True)
        return parts

    def _read(self, line: bytes, parts: list[Part], *, cut: bool = False) -> None:
        if self.error is not None or not line:
            return
        try:
            record = record_of(line)
        except jsontext.NotJson as error:
            self.error = None if cut else f"a line of the stream is {error}"
            return
        if not is_object(record):
            return
        if "error" in record:
            words = record["error"]
            self.error = words if isinstance(words, str) else jsontext.dumps(words)
            return
        _say(record, parts)
        if logprobs := record.get("logprobs"):
            self._say_verbatim(logprobs, parts)
        if record.get("done") is True:
            parts.append(_usage(record))
            parts.append(Stop(StopReason.LENGTH if record.get("done_reason") == "length" else StopReason.STOP))

    def _say_verbatim(self, logprobs: object, parts: list[Part]) -> None:
        """A token may hold half a character, so its bytes count where they are told."""
        tokens = logprobs if isinstance(logprobs, list) else ()
        if text := "".join([self._token(token) for token in tokens if is_object(token)]):
            parts.append(Verbatim(text))

    def _token(self, token: Mapping[str, object]) -> str:
        raw, said = token.get("bytes"), token.get("token")
        try:
            return self._bytes.decode(bytes(raw)) if isinstance(raw, list) else str(said or "")
        except (TypeError, ValueError):  # no bytes after all
            return str(said or "")


def _say(record: Mapping[str, object], parts: list[Part]) -> None:
    message = record.get("message")
    if is_object(message):
        thought, text, calls = message.get("thinking"), message.get("content"), message.get("tool_calls")
    else:
        thought, text, calls = record.get("thinking"), record.get("response"), None
    if thought and isinstance(thought, str):
        parts.append(Reasoning(thought))
    if text and isinstance(text, str):
        parts.append(Text(text))
    if calls and isinstance(calls, list):
        parts.extend(_call(call, of) for call in calls if is_object(call) and is_object(of := call.get("function")))


def _call(call: Mapping[str, object], function: Mapping[str, object]) -> Call:
    return Call(
        id=str(call.get("id") or ""),
        name=str(function.get("name") or ""),
        arguments=arguments_text(function.get("arguments")),
    )


def _usage(record: Mapping[str, object]) -> Usage:
    """The counts and times of a final record; Ollama tells times in nanoseconds."""
    return Usage(
        prompt_tokens=count_of(record, "prompt_eval_count"),
        completion_tokens=count_of(record, "eval_count"),
        load_seconds=count_of(record, "load_duration") / _NANO,
        prompt_seconds=count_of(record, "prompt_eval_duration") / _NANO,
        completion_seconds=count_of(record, "eval_duration") / _NANO,
    )


# -- the way back: to a client that speaks this format ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeEnvelope:
    """What every line of one answer repeats; `created_at` is RFC 3339."""

    model: str
    created_at: str
    kind: Kind = "chat"


class StreamEncoder:
    """Parts to NDJSON lines. Arguments of calls go out as the JSON object that they are."""

    def __init__(self, envelope: NativeEnvelope) -> None:
        head = jsontext.dumps({"model": envelope.model, "created_at": envelope.created_at})[:-1]
        chat = envelope.kind == "chat"
        self._text = '"content":' if chat else '"response":'
        self._before = head + (',"message":{"role":"assistant",' if chat else ",")
        self._after = "}" if chat else ""
        self._usage = Usage()
        self._did: tuple[str, ...] = ()
        self._calls = 0
        self.heartbeat = self._line(f'{self._text}""')

    def feed(self, item: Part) -> Sequence[bytes]:
        match item:
            case Text(text):
                return (self._line(f"{self._text}{jsontext.quoted(text)}"),)
            case Reasoning(text):
                return (self._line(f'{self._text}"","thinking":{jsontext.quoted(text)}'),)
            case Call():
                call = jsontext.dumps(_call_json(item, self._calls))
                self._calls += 1
                return (self._line(f'{self._text}"","tool_calls":[{call}]'),)
            case Usage():
                self._usage = item
            case Did(words):
                self._did = words
            case Stop(reason):
                last = jsontext.dumps(_final_json(reason, self._usage, self._did))
                return (jsontext.line(f'{self._before}{self._text}""{self._after},{last[1:]}\n'),)
            case _:
                pass
        return ()

    def close(self) -> Sequence[bytes]:
        return ()

    def _line(self, fields: str) -> bytes:
        return jsontext.line(f'{self._before}{fields}{self._after},"done":false}}\n')


def _call_json(call: Call, index: int) -> dict[str, object]:
    function = {"index": index, "name": call.name, "arguments": arguments_object(call.arguments)}
    return {"id": call.id, "function": function}


def _final_json(reason: StopReason, usage: Usage, did: Sequence[str]) -> dict[str, object]:
    """The fields of the last line; `tool_calls` is no reason in this API."""
    total = usage.load_seconds + usage.prompt_seconds + usage.completion_seconds
    said: dict[str, object] = {
        "done": True,
        "done_reason": "length" if reason is StopReason.LENGTH else "stop",
        "total_duration": round(total * _NANO),
        "load_duration": round(usage.load_seconds * _NANO),
        "prompt_eval_count": usage.prompt_tokens,
        "prompt_eval_duration": round(usage.prompt_seconds * _NANO),
        "eval_count": usage.completion_tokens,
        "eval_duration": round(usage.completion_seconds * _NANO),
    }
    return said | did_json(did)


def encode_whole(parts: Sequence[Part], envelope: NativeEnvelope) -> bytes:
    """The answer as one JSON object."""
    whole = whole_of(parts)
    said: dict[str, object] = {"content": whole.text} if envelope.kind == "chat" else {"response": whole.text}
    if whole.thought:
        said["thinking"] = whole.thought
    if whole.calls:
        said["tool_calls"] = [_call_json(call, place) for place, call in enumerate(whole.calls)]
    return jsontext.dump(_framed(envelope, said) | _final_json(whole.reason, whole.usage, whole.did))


def loaded_json(envelope: NativeEnvelope, reason: Literal["load", "unload"]) -> bytes:
    """The answer to a request that only loads a model or frees it."""
    said = {"content" if envelope.kind == "chat" else "response": ""}
    return jsontext.dump(_framed(envelope, said) | {"done": True, "done_reason": reason})


def _framed(envelope: NativeEnvelope, said: Mapping[str, object]) -> dict[str, object]:
    head: dict[str, object] = {"model": envelope.model, "created_at": envelope.created_at}
    return {**head, "message": {"role": "assistant", **said}} if envelope.kind == "chat" else {**head, **said}
