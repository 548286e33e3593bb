"""Parts to bytes and back, in every tongue: the same turn, however its bytes were cut, ended or interrupted by comments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import jsontext
from gateway.core.stream import Call, Part, Reasoning, StopReason, Text, Usage
from gateway.core.wire import ollama_answer, openai_answer, openai_text
from tests.core.wire.answers import Joined, decoded, encoded, joined, turns
from tests.core.wire.json_values import chunked, cuts

UNTIMED = settings(deadline=None)  # a busy machine is no failure

ENVELOPE = openai_answer.Envelope(id="chatcmpl-1", created=1700000000, model="m", usage=True)
NATIVE = ollama_answer.NativeEnvelope(model="m", created_at="2026-01-01T00:00:00Z")
GENERATED = replace(NATIVE, kind="generate")

Change = Callable[[list[bytes]], bytes]


def joined_up(events: list[bytes]) -> bytes:
    return b"".join(events)


def with_carriage_returns(events: list[bytes]) -> bytes:
    return b"".join(events).replace(b"\n", b"\r\n")


def without_the_last_line_end(events: list[bytes]) -> bytes:
    return b"".join(events).rstrip(b"\n")


def with_comments(events: list[bytes]) -> bytes:
    return b"".join(openai_answer.heartbeat(None) + event + b": still here\n\n" for event in events)


def with_blank_lines(lines: list[bytes]) -> bytes:
    return b"\n".join(lines)


SSE_CHANGES: list[Change] = [joined_up, with_carriage_returns, without_the_last_line_end, with_comments]
LINE_CHANGES: list[Change] = [joined_up, with_carriage_returns, without_the_last_line_end, with_blank_lines]


def sayable(
    turn: list[Part], *, usage: Usage, stop: Callable[[StopReason], StopReason] = lambda reason: reason
) -> Joined:
    """What a format can say of a turn."""
    whole = joined(turn)
    return replace(whole, usages=(usage,), stops=tuple(map(stop, whole.stops)))


def tokens_only(turn: list[Part]) -> Usage:
    told = joined(turn).usages[0]
    return replace(told, load_seconds=0.0, prompt_seconds=0.0, completion_seconds=0.0)


def natively(reason: StopReason) -> StopReason:
    return StopReason.LENGTH if reason is StopReason.LENGTH else StopReason.STOP


@UNTIMED
@given(turns(), st.sampled_from(SSE_CHANGES), cuts)
def test_openai_streams(turn: list[Part], change: Change, places: list[int]) -> None:
    stream = change(encoded(openai_answer.StreamEncoder(ENVELOPE), turn))
    parts, error = decoded(openai_answer.Decoder, chunked(stream, places))
    assert error is None
    assert joined(parts) == sayable(turn, usage=tokens_only(turn))


@UNTIMED
@given(turns(), st.sampled_from(LINE_CHANGES), cuts)
def test_native_streams(turn: list[Part], change: Change, places: list[int]) -> None:
    stream = change(encoded(ollama_answer.StreamEncoder(NATIVE), turn))
    parts, error = decoded(ollama_answer.Decoder, chunked(stream, places))
    assert error is None
    told = joined(turn).usages[0]
    assert joined(parts) == sayable(turn, usage=replace(told, cached_tokens=0), stop=natively)


@UNTIMED
@given(turns())
def test_streams_of_bare_prompts(turn: list[Part]) -> None:
    """No calls in either of them, and no thoughts in OpenAI's."""
    said = [part for part in turn if not isinstance(part, Call)]
    for envelope, encoder, decoder, drops in (
        (GENERATED, ollama_answer.StreamEncoder(GENERATED), ollama_answer.Decoder, ()),
        (ENVELOPE, openai_text.StreamEncoder(ENVELOPE), openai_answer.Decoder, (Reasoning,)),
    ):
        parts, error = decoded(decoder, encoded(encoder, said))
        expected = joined(part for part in said if not isinstance(part, drops))
        assert error is None
        assert (joined(parts).text, joined(parts).thought) == (expected.text, expected.thought)
        assert len(joined(parts).stops) == 1, envelope


@UNTIMED
@given(turns())
def test_bytes_one_by_one(turn: list[Part]) -> None:
    stream = b"".join(encoded(openai_answer.StreamEncoder(ENVELOPE), turn))
    one_by_one = [stream[place : place + 1] for place in range(len(stream))]
    assert decoded(openai_answer.Decoder, one_by_one) == decoded(openai_answer.Decoder, [stream])


@UNTIMED
@given(turns())
def test_whole_openai_answers(turn: list[Part]) -> None:
    body = json.loads(openai_answer.encode_whole(turn, ENVELOPE))
    (choice,) = body["choices"]
    whole, message = joined(turn), choice["message"]
    assert (message["content"] or "", message.get("reasoning_content", "")) == (whole.text, whole.thought)
    called = [
        (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])
    ]
    assert tuple(called) == whole.calls
    assert choice["finish_reason"] == whole.stops[0]
    assert body["usage"]["prompt_tokens"] == whole.usages[0].prompt_tokens
    assert "error" not in body


@UNTIMED
@given(turns())
def test_whole_native_answers_are_one_line_of_a_stream(turn: list[Part]) -> None:
    parts, error = decoded(ollama_answer.Decoder, [ollama_answer.encode_whole(turn, NATIVE)])
    told = joined(turn).usages[0]
    assert error is None
    assert joined(parts) == sayable(turn, usage=replace(told, cached_tokens=0), stop=natively)


@UNTIMED
@given(turns())
def test_a_stream_and_a_whole_answer_say_the_same(turn: list[Part]) -> None:
    whole = json.loads(openai_text.encode_whole(turn, ENVELOPE))
    assert whole["choices"][0]["text"] == joined(turn).text
    generated = json.loads(ollama_answer.encode_whole(turn, GENERATED))
    assert generated["response"] == joined(turn).text


@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", "a\x85b", "a\r\nb", "a\x0b\x0c\x1c\x1d\x1eb", "\ud83d", "😀"])
def test_no_text_breaks_a_line(text: str) -> None:
    """httpx, through which LiteLLM reads Ollama, splits lines at everything that `str.splitlines` knows."""
    call = Call(id="c", name="f", arguments=jsontext.dumps({"text": text}))
    for encoder in (ollama_answer.StreamEncoder(NATIVE), openai_answer.StreamEncoder(ENVELOPE)):
        for piece in encoded(encoder, [Text(text), Reasoning(text), call]):
            assert len(piece.decode().strip("\n").splitlines()) == 1
