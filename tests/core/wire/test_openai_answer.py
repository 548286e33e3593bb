"""The OpenAI answer: what servers really stream, and what our clients may rely on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from gateway.core.errors import Code, Problem
from gateway.core.stream import (
    Call,
    CallPiece,
    Did,
    Part,
    Reasoning,
    Stop,
    StopReason,
    Text,
    Unreadable,
    Usage,
    Verbatim,
)
from gateway.core.wire import lines
from gateway.core.wire.openai_answer import (
    Decoder,
    Envelope,
    StreamEncoder,
    encode_whole,
    error_text,
    heartbeat,
    problem_event,
    problem_json,
)
from tests.core.wire.answers import decoded, encoded, turns

UNTIMED = settings(deadline=None)  # a busy machine is no failure

ENVELOPE = Envelope(id="chatcmpl-1", created=1700000000, model="m", usage=True)
CALLS = [Call(id="a", name="f", arguments='{"x":1}'), Call(id="b", name="g", arguments="{}")]
WHOLE_TURN: list[Part] = [Reasoning("Hm."), Text("Let me"), Text(" look."), *CALLS, Usage(prompt_tokens=7, completion_tokens=3), Did(("continued", "mended")), Stop(StopReason.TOOL_CALLS)]  # fmt: skip


def events(*chunks: object) -> bytes:
    return b"".join(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n".encode() for chunk in chunks)


def delta(reason: str | None = None, **fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


def read(*chunks: object) -> tuple[list[Part], str | None]:
    return decoded(Decoder, [events(*chunks)])


# -- from upstreams ---------------------------------------------------------------------------------------------------


def test_a_stream_as_vllm_writes_it() -> None:
    parts, error = read(
        delta(role="assistant", content=""),
        delta(reasoning_content="Hm"),
        delta(reasoning="m."),
        delta(content="Hi"),
        delta(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
        delta("tool_calls"),
        {
            "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
        },
        "[DONE]",
    )
    assert error is None
    assert parts == [
        Reasoning("Hm"),
        Reasoning("m."),
        Text("Hi"),
        CallPiece(index=0, id="c", name="f"),
        CallPiece(index=0, arguments='{"a":'),
        CallPiece(index=0, arguments="1}"),
        Stop(StopReason.TOOL_CALLS),
        Usage(prompt_tokens=5, completion_tokens=2, cached_tokens=4),
    ]


def test_usage_that_is_repeated_with_every_chunk_counts_once() -> None:
    chunks = [{**delta(content="a"), "usage": {"prompt_tokens": 5, "completion_tokens": count}} for count in (1, 2, 3)]
    parts, _ = read(*chunks, delta("stop"), "[DONE]")
    assert [part for part in parts if isinstance(part, Usage)] == [Usage(prompt_tokens=5, completion_tokens=3)]
    parts, _ = read(*chunks, delta("stop"))  # and without a [DONE]
    assert parts[-1] == Usage(prompt_tokens=5, completion_tokens=3)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", StopReason.STOP),
        ("eos_token", StopReason.STOP),
        ("length", StopReason.LENGTH),
        ("max_tokens", StopReason.LENGTH),
        ("tool_calls", StopReason.TOOL_CALLS),
        ("function_call", StopReason.TOOL_CALLS),
        ("content_filter", StopReason.CONTENT_FILTER),
    ],
)
def test_ends_that_are_true(reason: str, stop: StopReason) -> None:
    assert read(delta(reason))[0] == [Stop(stop)]


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource", "no idea", 5])
def test_ends_that_are_none(reason: object) -> None:
    parts, error = decoded(
        Decoder, [events(delta(content="a"), {"choices": [{"delta": {}, "finish_reason": reason}]}, "[DONE]")]
    )
    assert parts == [Text("a")]
    assert error == f"the upstream ended with the finish reason {reason}"


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ({"error": {"message": "no memory", "code": 500}}, "no memory"),
        ({"error": "no memory"}, "no memory"),
        ({"error": {"error": {"message": "no memory"}}}, "no memory"),
        ({"error": {"error": "no memory"}}, "no memory"),
        ({"error": {"what": 1}}, '{"what":1}'),
        ({"object": "error", "message": "no memory", "code": 400}, "no memory"),
        ({**delta("error", content="x"), "error": {"message": "no memory"}}, "no memory"),
    ],
)
def test_errors_inside_a_stream(chunk: object, words: str) -> None:
    parts, error = read(delta(content="a"), chunk, delta(content="b"), delta("stop"), "[DONE]")
    assert (parts, error) == ([Text("a")], words)


def test_an_error_field_that_is_null_is_none() -> None:
    assert read({**delta(content="a"), "error": None}) == ([Text("a")], None)


def test_an_error_as_a_field_of_its_own() -> None:
    """llama.cpp's server before it kept to `data:`."""
    assert decoded(Decoder, [b'error: {"code":500,"message":"slot is gone"}\n\n'])[1] == "slot is gone"


def test_events_that_are_no_json() -> None:
    assert read(delta(content="a"), '{"choices": [') [1] == "an event of the upstream is not valid JSON: Expecting value at line 1, column 14"  # fmt: skip
    cut = events(delta(content="a")) + b'data: {"choices":[{"del'
    assert decoded(Decoder, [cut]) == ([Text("a")], None)  # the stream was cut, and says so by having no end


def test_done_alone_is_no_end() -> None:
    decoder = Decoder()
    parts = list(decoder.feed(events(delta(content="a"), "[DONE]", delta(content="b"))))
    assert (parts, decoder.done) == ([Text("a")], True)


@pytest.mark.parametrize(
    "chunk",
    [5, "null", [], {}, {"choices": None}, {"choices": [5, None]}, {"choices": [{"delta": 5}]}, {"choices": [{}]},
     delta(content=5), delta(content=[1]), delta(reasoning={"x": 1}), delta(tool_calls=5), delta(tool_calls=[5]), {"usage": 5}],
)  # fmt: skip
def test_oddities_are_skipped(chunk: object) -> None:
    assert read(chunk, delta(content="a"))[0] == [Text("a")]


def test_odd_calls_are_kept_as_far_as_they_say_something() -> None:
    odd = delta(tool_calls=[{"function": {"name": "f", "arguments": {"n": 1}}}, {"id": 5, "function": None}])
    assert read(odd)[0] == [CallPiece(index=0, name="f", arguments='{"n":1}'), CallPiece(index=1, id="5")]


def test_bare_completions() -> None:
    assert read({"choices": [{"text": "a", "finish_reason": None}]}, {"choices": [{"text": "", "finish_reason": "length"}]})[0] == [Text("a"), Stop(StopReason.LENGTH)]  # fmt: skip


def test_an_endless_event_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 1000)
    assert decoded(Decoder, [b"data: ", b"x" * 1001])[1] == "an event of the upstream is too long"


def test_the_words_of_an_error_are_bounded() -> None:
    assert len(error_text({"x": "y" * 10_000})) == 500


# -- to clients -------------------------------------------------------------------------------------------------------


def chunks_of(turn: list[Part], envelope: Envelope = ENVELOPE) -> tuple[list[dict[str, object]], list[str]]:
    """The JSON of a stream's data lines, and all its lines."""
    stream = b"".join(encoded(StreamEncoder(envelope), turn)).decode()
    events_ = stream.split("\n\n")
    assert events_.pop() == ""
    data = [event.removeprefix("data: ") for event in events_ if event.startswith("data: ")]
    assert data.pop() == "[DONE]"
    return [json.loads(each) for each in data], events_


def test_a_stream_for_a_client() -> None:
    chunks, said = chunks_of(WHOLE_TURN)
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m", "system_fingerprint": "fp_holdfast"}  # fmt: skip
    assert all(chunk.items() >= head.items() for chunk in chunks)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]  # type: ignore[attr-defined]
    assert deltas == [
        {"role": "assistant", "reasoning_content": "Hm."},
        {"content": "Let me"},
        {"content": " look."},
        {"content": None, "tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}]},
        {"content": None, "tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {},
    ]  # fmt: skip
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert said[-2:] == [": holdfast did=continued, mended", "data: [DONE]"]


@UNTIMED
@given(turns())
def test_laws_of_every_stream(turn: list[Part]) -> None:
    """Crush takes any `error` key for an error, and the last chunk's usage for the truth."""
    for envelope in (ENVELOPE, replace(ENVELOPE, usage=False)):
        chunks, _ = chunks_of(turn, envelope)
        assert not any("error" in chunk for chunk in chunks)
        assert [place for place, chunk in enumerate(chunks) if "usage" in chunk] == (
            [len(chunks) - 1] if envelope.usage else []
        )
        choices = [choice for chunk in chunks for choice in chunk["choices"]]  # type: ignore[attr-defined]
        reasons = [choice["finish_reason"] for choice in choices]
        assert [reason for reason in reasons if reason] == [turn[-1].reason]  # type: ignore[union-attr]
        assert reasons[-1]
        assert [choice["index"] for choice in choices] == [0] * len(choices)
        assert ["role" in choice["delta"] for choice in choices] == [True] + [False] * (len(choices) - 1)
        calls = [call for choice in choices for call in choice["delta"].get("tool_calls", [])]
        assert [call["index"] for call in calls] == list(range(len(calls)))
        assert all(call["type"] == "function" and call["id"] for call in calls)


def test_an_empty_answer_still_says_who_speaks() -> None:
    chunks, _ = chunks_of([Stop(StopReason.STOP)], replace(ENVELOPE, usage=False))
    assert [choice for chunk in chunks for choice in chunk["choices"]] == [  # type: ignore[attr-defined]
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    ]


def test_what_is_not_for_clients_is_not_sent() -> None:
    assert encoded(StreamEncoder(ENVELOPE), [Verbatim("<x>"), Unreadable("x", "y"), CallPiece(index=0)]) == []


def test_a_heartbeat_is_a_comment_and_reads_as_nothing() -> None:
    assert heartbeat(366.9) == b": holdfast is waiting, about 367 s for the first words\n\n"
    assert decoded(Decoder, [heartbeat(None) + heartbeat(12.0)]) == ([], None)


def test_reasoning_may_go_out_by_its_other_name() -> None:
    envelope = replace(ENVELOPE, thought="reasoning")
    assert b'"reasoning":"Hm."' in encoded(StreamEncoder(envelope), [Reasoning("Hm.")])[0]
    assert json.loads(encode_whole(WHOLE_TURN, envelope))["choices"][0]["message"]["reasoning"] == "Hm."


def test_a_whole_answer() -> None:
    body = json.loads(encode_whole(WHOLE_TURN, ENVELOPE))
    assert body["object"] == "chat.completion"
    assert body["holdfast"] == {"did": ["continued", "mended"]}
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert body["choices"][0]["message"]["content"] == "Let me look."
    assert json.loads(encode_whole(CALLS, ENVELOPE))["choices"][0]["message"]["content"] is None
    assert json.loads(encode_whole([], ENVELOPE))["choices"][0] == {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}  # fmt: skip


def test_problems() -> None:
    problem = Problem(Code.WINDOW_TOO_SMALL, "Too big.", extra={"window": "8.2k"})
    said = {"error": {"message": "Too big.", "type": "invalid_request_error", "param": None, "code": "window_too_small", "window": "8.2k"}}  # fmt: skip
    assert problem_json(problem) == said
    event = problem_event(problem)
    assert (event[:6], json.loads(event[6:]), event[-2:]) == (b"data: ", said, b"\n\n")
    assert decoded(Decoder, [event])[1] == "Too big."
