"""The four ways an answer goes out: NDJSON of `/api/chat` and `/api/generate`, SSE of `/v1/chat/completions` and `/v1/completions`.

Law: `/v1` is made from the native records, as Ollama makes it; so it swallows an error that comes after the first piece.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Protocol

from gateway.testing import gojson
from gateway.testing.api.reply import JSON
from gateway.testing.generations import ApiError, Generation
from gateway.testing.gojson import Json

_ERROR_TYPES = {400: "invalid_request_error", 404: "not_found_error"}
PLAIN_JSON = "application/json"


class Surface(Protocol):
    """How records become bytes."""

    @property
    def stream_type(self) -> str: ...
    @property
    def whole_type(self) -> str: ...

    def line(self, record: Json) -> bytes:
        """A piece of the stream."""
        ...

    def failed(self, error: ApiError) -> bytes:
        """What a stream that has begun says of an error."""
        ...

    def whole(self, record: Json) -> bytes:
        """The answer that is not streamed."""
        ...

    def refused(self, error: ApiError) -> bytes:
        """The body of an HTTP error."""
        ...


class Native:
    """NDJSON: one record a line, an error as the last line."""

    stream_type = "application/x-ndjson"
    whole_type = JSON

    def line(self, record: Json) -> bytes:
        return gojson.encode(record) + b"\n"

    def failed(self, error: ApiError) -> bytes:
        return self.line({"error": error.text})

    def whole(self, record: Json) -> bytes:
        return gojson.encode(record)

    def refused(self, error: ApiError) -> bytes:
        return gojson.encode({"error": error.text})


class OpenAI:
    """What both OpenAI formats share: SSE, errors, usage."""

    stream_type = "text/event-stream"
    whole_type = PLAIN_JSON

    def __init__(self, body: Json, generation: Generation, dice: random.Random) -> None:
        options = body.get("stream_options")
        self._usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._generation = generation
        self._number = dice.randrange(999)
        self._created = 0

    def refused(self, error: ApiError) -> bytes:
        return openai_error(error)

    def _seconds(self, record: Json) -> int:
        """The record's time; one for the whole stream, as far as seconds go."""
        if not self._created and record.get("created_at"):
            self._created = int(datetime.fromisoformat(str(record["created_at"])[:19] + "+00:00").timestamp())
        return self._created

    def _tokens(self, record: Json) -> Json:
        prompt, made = int(str(record.get("prompt_eval_count", 0))), int(str(record.get("eval_count", 0)))
        usage: Json = {"prompt_tokens": prompt}
        if "prompt_eval_cached_count" in record:
            usage["prompt_tokens_details"] = {"cached_tokens": record["prompt_eval_cached_count"]}
        return {**usage, "completion_tokens": made, "total_tokens": prompt + made}


class ChatCompletions(OpenAI):
    """Chat completions. An error in the stream becomes a piece of a model without a name, and then nothing."""

    def __init__(self, body: Json, generation: Generation, dice: random.Random) -> None:
        super().__init__(body, generation, dice)
        self._begun = False
        self._called = False

    def line(self, record: Json) -> bytes:
        new, message = self._generation.new, _message(record)
        self._called = self._called or bool(message.get("tool_calls"))
        trailer = bool(record.get("done")) and not any(
            message.get(key) for key in ("content", "thinking", "tool_calls")
        )
        out = b""
        if not (new and trailer and self._begun):
            reason = None if new else self._reason(record)
            out = b"".join(self._chunk(record, delta, reason, rest) for delta, rest in self._deltas(message, record))
        self._begun = True
        if not record.get("done"):
            return out
        if new:
            out += self._chunk(record, {}, self._reason(record), {})
        if self._usage:
            out += _event({**self._envelope(record), "choices": [], "usage": self._tokens(record)})
        return out + b"data: [DONE]\n\n"

    def failed(self, _: ApiError) -> bytes:
        role: Json = {} if self._generation.new and self._begun else {"role": "assistant"}
        return self._chunk({"model": ""}, {**role, "content": ""}, None, {})

    def whole(self, record: Json) -> bytes:
        message = _message(record)
        said: Json = {"role": message["role"], "content": message["content"]}
        if message.get("thinking"):
            said["reasoning"] = message["thinking"]
        if message.get("tool_calls"):
            self._called = True
            said["tool_calls"] = _calls(message)
        choice: Json = {"index": 0, "message": said, "finish_reason": self._reason(record), **_logprobs(record)}
        debug: Json = {"_debug_info": record["_debug_info"]} if "_debug_info" in record else {}
        envelope = {**self._envelope(record), "object": "chat.completion"}
        return gojson.encode({**envelope, "choices": [choice], "usage": self._tokens(record), **debug}) + b"\n"

    def _deltas(self, message: Json, record: Json) -> list[tuple[Json, Json]]:
        """A record's deltas and what rides beside them: thought and visible text go in two."""
        role: Json = {} if self._generation.new and self._begun else {"role": "assistant"}
        calls: Json = {"tool_calls": _calls(message)} if message.get("tool_calls") else {}
        content: Json = {"content": message.get("content", "")}
        thought: Json = {"reasoning": message["thinking"]} if message.get("thinking") else {}
        if not (thought and (content["content"] or calls)):
            return [({**role, **content, **thought, **calls}, _logprobs(record))]
        alone: Json = {} if self._generation.new else {"content": ""}
        second: Json = {} if self._generation.new else {"role": "assistant"}
        return [({**role, **alone, **thought}, _logprobs(record)), ({**second, **content, **calls}, {})]

    def _reason(self, record: Json) -> object:
        """Why it ended, null while it has not. The old generation says tool_calls even where the answer was cut."""
        reason = record.get("done_reason")
        if not reason:
            return None
        return "tool_calls" if self._called and (reason == "stop" or not self._generation.new) else reason

    def _chunk(self, record: Json, delta: Json, reason: object, beside: Json) -> bytes:
        choice: Json = {"index": 0, "delta": delta, "finish_reason": reason, **beside}
        return _event({**self._envelope(record), "choices": [choice]})

    def _envelope(self, record: Json) -> Json:
        return {
            "id": f"chatcmpl-{self._number}",
            "object": "chat.completion.chunk",
            "created": self._seconds(record),
            "model": record.get("model", ""),
            "system_fingerprint": "fp_ollama",
        }


class Completions(OpenAI):
    """Bare completions."""

    def line(self, record: Json) -> bytes:
        nothing: Json = (
            {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}} if self._usage else {}
        )
        out = _event({**self._chunk(record, [self._choice(record)]), **nothing})
        if not record.get("done"):
            return out
        if self._usage:
            out += _event({**self._chunk(record, []), "usage": self._tokens(record)})
        return out + b"data: [DONE]\n\n"

    def failed(self, _: ApiError) -> bytes:
        return _event(self._chunk({"model": ""}, [self._choice({})]))

    def whole(self, record: Json) -> bytes:
        head: Json = {"id": f"cmpl-{self._number}", "object": "text_completion", "created": self._seconds(record)}
        named: Json = {"model": record.get("model", ""), "system_fingerprint": "fp_ollama"}
        return (
            gojson.encode({**head, **named, "choices": [self._choice(record)], "usage": self._tokens(record)}) + b"\n"
        )

    def _choice(self, record: Json) -> Json:
        return {"text": record.get("response", ""), "index": 0, "finish_reason": record.get("done_reason")}

    def _chunk(self, record: Json, choices: list[Json]) -> Json:
        head: Json = {"id": f"cmpl-{self._number}", "object": "text_completion", "created": self._seconds(record)}
        return {**head, "choices": choices, "model": record.get("model", ""), "system_fingerprint": "fp_ollama"}


def openai_error(error: ApiError) -> bytes:
    kind = _ERROR_TYPES.get(error.status, "api_error")
    return gojson.encode({"error": {"message": error.text, "type": kind, "param": None, "code": None}}) + b"\n"


def _event(value: Json) -> bytes:
    return b"data: " + gojson.encode(value) + b"\n\n"


def _message(record: Json) -> Json:
    message = record.get("message")
    return message if isinstance(message, dict) else {"role": "", "content": ""}


def _logprobs(record: Json) -> Json:
    return {"logprobs": {"content": record["logprobs"]}} if record.get("logprobs") else {}


def _calls(message: Json) -> list[Json]:
    calls = message.get("tool_calls")
    return [_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _call(call: Json) -> Json:
    function = call["function"]
    assert isinstance(function, dict)
    named: Json = {"name": function["name"], "arguments": gojson.dumps(function["arguments"])}
    return {"id": call["id"], "index": function["index"], "type": "function", "function": named}
