"""Ollama's native answer, both ways: NDJSON of `/api/chat` and `/api/generate` to parts, and parts to NDJSON or one object."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.core import jsontext
from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage, Verbatim
from gateway.core.wire.fields import is_object
from gateway.core.wire.lines import Lines

Kind: TypeAlias = Literal["chat", "generate"]
_NANO = 1_000_000_000


class Decoder:
    """NDJSON of an upstream Ollama to parts. `error` is the text of an error line, after which nothing follows.

    The true end is a line with `done: true`; an answer without one failed, whatever its HTTP status.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self.rendered: str | None = None
        self._lines = Lines()
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, item: bytes) -> Iterator[Part]:
        for line in self._lines.feed(item):
            if line:
                yield from self._read(line)

    def close(self) -> Iterator[Part]:
        for line in self._lines.close():
            yield from self._read(line)

    def _read(self, line: bytes) -> Iterator[Part]:
        if self.error is not None:
            return
        try:
            record = jsontext.loads(line)
        except jsontext.NotJson as error:
            self.error = f"a line of the stream is {error}"
            return
        if not is_object(record):
            return
        if "error" in record:
            self.error = _words(record["error"])
            return
        message = record.get("message")
        yield from self._said(message if is_object(message) else {"content": record.get("response"), **record})
        if isinstance(record.get("logprobs"), list):
            yield from self._verbatim(record["logprobs"])
        if record.get("done") is True:
            yield usage_of(record)
            yield Stop(StopReason.LENGTH if record.get("done_reason") == "length" else StopReason.STOP)

    def _said(self, message: Mapping[str, object]) -> Iterator[Part]:
        thought, text, calls = message.get("thinking"), message.get("content"), message.get("tool_calls")
        if isinstance(thought, str) and thought:
            yield Reasoning(thought)
        if isinstance(text, str) and text:
            yield Text(text)
        for call in calls if isinstance(calls, list) else []:
            if is_object(call) and is_object(function := call.get("function")):
                arguments = function.get("arguments")
                yield Call(
                    id=str(call.get("id") or ""),
                    name=str(function.get("name") or ""),
                    arguments=arguments if isinstance(arguments, str) else jsontext.dumps(arguments or {}),
                )

    def _verbatim(self, logprobs: object) -> Iterator[Part]:
        """A token may hold half a character, so its bytes count where they are told."""
        pieces: list[str] = []
        for token in logprobs if isinstance(logprobs, list) else []:
            if not is_object(token):
                continue
            raw, said = token.get("bytes"), token.get("token")
            if isinstance(raw, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in raw):
                pieces.append(self._bytes.decode(bytes(raw)))
            elif isinstance(said, str):
                pieces.append(said)
        if text := "".join(pieces):
            yield Verbatim(text)


def _words(error: object) -> str:
    return error if isinstance(error, str) else jsontext.dumps(error)


def usage_of(record: Mapping[str, object]) -> Usage:
    """The counts and times of a final record; Ollama tells times in nanoseconds."""
    return Usage(
        prompt_tokens=_count(record.get("prompt_eval_count")),
        completion_tokens=_count(record.get("eval_count")),
        load_seconds=_count(record.get("load_duration")) / _NANO,
        prompt_seconds=_count(record.get("prompt_eval_duration")) / _NANO,
        completion_seconds=_count(record.get("eval_duration")) / _NANO,
    )


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


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

    def feed(self, item: Part) -> Iterator[bytes]:
        match item:
            case Text(text):
                yield self._line(f"{self._text}{jsontext.quoted(text)}")
            case Reasoning(text):
                yield self._line(f'{self._text}"","thinking":{jsontext.quoted(text)}')
            case Call():
                yield self._line(f'{self._text}"","tool_calls":[{call_text(item, self._calls)}]')
                self._calls += 1
            case Usage():
                self._usage = item
            case Did(words):
                self._did = words
            case Stop(reason):
                last = jsontext.dumps(final_json(reason, self._usage, self._did))
                yield f'{self._before}{self._text}""{self._after},{last[1:]}\n'.encode()
            case _:
                return

    def close(self) -> Iterator[bytes]:
        return iter(())

    def _line(self, fields: str) -> bytes:
        return f'{self._before}{fields}{self._after},"done":false}}\n'.encode()


def call_text(call: Call, index: int) -> str:
    function = f'{{"index":{index},"name":{jsontext.quoted(call.name)},"arguments":{call.arguments}}}'
    return f'{{"id":{jsontext.quoted(call.id)},"function":{function}}}'


def final_json(reason: StopReason, usage: Usage, did: tuple[str, ...]) -> dict[str, object]:
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
    if did:
        said["holdfast"] = {"did": list(did)}
    return said


def encode_whole(parts: Sequence[Part], envelope: NativeEnvelope) -> bytes:
    """The answer as one JSON object."""
    text = "".join(part.text for part in parts if isinstance(part, Text))
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
    calls = [part for part in parts if isinstance(part, Call)]
    said: dict[str, object] = {"content": text} if envelope.kind == "chat" else {"response": text}
    if thought:
        said["thinking"] = thought
    if calls:
        said["tool_calls"] = [jsontext.loads(call_text(call, place)) for place, call in enumerate(calls)]
    reason = next((part.reason for part in parts if isinstance(part, Stop)), StopReason.LENGTH)
    usage = next((part for part in parts if isinstance(part, Usage)), Usage())
    did = next((part.words for part in parts if isinstance(part, Did)), ())
    return jsontext.dump(
        {
            "model": envelope.model,
            "created_at": envelope.created_at,
            **({"message": {"role": "assistant", **said}} if envelope.kind == "chat" else said),
            **final_json(reason, usage, did),
        }
    )


def loaded_json(envelope: NativeEnvelope, reason: Literal["load", "unload"]) -> bytes:
    """The answer to a request that only loads a model or frees it."""
    said = {"message": {"role": "assistant", "content": ""}} if envelope.kind == "chat" else {"response": ""}
    head = {"model": envelope.model, "created_at": envelope.created_at}
    return jsontext.dump({**head, **said, "done": True, "done_reason": reason})
