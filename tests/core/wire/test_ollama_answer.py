"""Ollama's native answer: what its servers stream in good and bad times, and what its clients get from us."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage, Verbatim
from gateway.core.wire import lines
from gateway.core.wire.ollama_answer import Decoder, NativeEnvelope, StreamEncoder, encode_whole, loaded_json
from tests.core.wire.answers import decoded, encoded, turns

UNTIMED = settings(deadline=None)  # a busy machine is no failure

CHAT = NativeEnvelope(model="m", created_at="2026-01-01T00:00:00Z")
GENERATE = replace(CHAT, kind="generate")
WHOLE_TURN: list[Part] = [
    Reasoning("Hm."),
    Text("Hi"),
    Call(id="c", name="f", arguments='{"n":123456789012345678901}'),
    Usage(prompt_tokens=7, completion_tokens=3, load_seconds=0.5, prompt_seconds=0.25, completion_seconds=1),
    Did(("mended",)),
    Stop(StopReason.TOOL_CALLS),
]


def ndjson(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def said(**fields: object) -> dict[str, object]:
    return {"model": "m", "message": {"role": "assistant", **fields}, "done": False}


def read(*records: object) -> tuple[list[Part], str | None]:
    return decoded(Decoder, [ndjson(*records)])


# -- from upstreams ---------------------------------------------------------------------------------------------------


def test_a_chat() -> None:
    counts = {"load_duration": 500_000_000, "prompt_eval_count": 7, "prompt_eval_duration": 250_000_000, "eval_count": 3, "eval_duration": 10**9}  # fmt: skip
    parts, error = read(
        said(content="", thinking="Hm."),
        said(content="Hi"),
        said(content="", tool_calls=[{"id": "c", "function": {"index": 0, "name": "f", "arguments": {"a": [1, "é"]}}}]),
        {**said(content=""), "done": True, "done_reason": "stop", **counts},
    )
    assert error is None
    assert parts == [
        Reasoning("Hm."),
        Text("Hi"),
        Call(id="c", name="f", arguments='{"a":[1,"é"]}'),
        Usage(prompt_tokens=7, completion_tokens=3, load_seconds=0.5, prompt_seconds=0.25, completion_seconds=1.0),
        Stop(StopReason.STOP),
    ]


def test_a_bare_prompts_answer() -> None:
    parts, _ = read({"response": "Hi", "thinking": "Hm."}, {"response": "", "done": True, "done_reason": "length"})
    assert parts == [Reasoning("Hm."), Text("Hi"), Usage(), Stop(StopReason.LENGTH)]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"error": "gone"}, "gone"),
        ({"error": ""}, ""),
        ({"error": {"code": 5}}, '{"code":5}'),
        ({"error": None}, "null"),
    ],
)
def test_an_error_line_ends_everything(record: object, words: str) -> None:
    assert read(said(content="a"), record, said(content="b"), {"done": True}) == ([Text("a")], words)


def test_an_end_without_done_is_none() -> None:
    parts, error = read(said(content="a"), said(content="b"))
    assert (parts, error) == ([Text("a"), Text("b")], None)
    assert not any(isinstance(part, Stop) for part in parts)


def test_a_last_line_that_broke_off_is_a_cut_and_a_broken_line_an_error() -> None:
    assert decoded(Decoder, [ndjson(said(content="a")) + b'{"model":"m","mess']) == ([Text("a")], None)
    assert decoded(Decoder, [ndjson(said(content="a")) + b'{"model":"m","mess\n'])[1] == (
        "a line of the stream is not valid JSON: Unterminated string starting at line 1, column 14"
    )


def test_a_last_line_without_its_end_counts() -> None:
    assert decoded(Decoder, [ndjson({"response": "a", "done": True}).rstrip()])[0][-1] == Stop(StopReason.STOP)


def test_what_the_model_really_wrote_is_told_by_its_bytes() -> None:
    def token(text: str, raw: object) -> dict[str, object]:
        return {"token": text, "logprob": -0.25, "bytes": raw}

    parts, _ = read(
        {**said(content="I see"), "logprobs": [token("I ", [73, 32]), token("see", None)]},
        {**said(content=""), "logprobs": [token("\ufffd", [0xC3])]},
        {**said(content=""), "logprobs": [token("\ufffd", [0xA9]), token("<tool", [60, 116, 111, 111, 108])]},
        {**said(content=""), "logprobs": [token("", []), token("x", [999]), token("y", ["z"]), 5]},
        {**said(content=""), "logprobs": None},
        {**said(content=""), "logprobs": 5},
    )
    assert [part for part in parts if isinstance(part, Verbatim)] == [
        Verbatim("I see"),
        Verbatim("é<tool"),
        Verbatim("xy"),
    ]


@pytest.mark.parametrize(
    "record",
    [5, None, [], {}, {"message": None}, {"message": 5}, said(content=5), said(content=None, thinking=5),
     said(tool_calls=5), said(tool_calls=[5, {}, {"function": 5}]), {"done": "true"}, {"response": 5}],
)  # fmt: skip
def test_oddities_are_skipped(record: object) -> None:
    assert read(record, said(content="a")) == ([Text("a")], None)


def test_odd_calls_are_kept_as_they_are() -> None:
    parts, _ = read(said(tool_calls=[{"function": {"name": "f", "arguments": None}}, {"id": 5, "function": {"name": "g", "arguments": "cut"}}]))  # fmt: skip
    assert parts == [Call(id="", name="f", arguments="{}"), Call(id="5", name="g", arguments="cut")]


def test_an_endless_line_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 1000)
    assert decoded(Decoder, [b"x" * 1001])[1] == "a line of the stream is too long"


# -- to clients -------------------------------------------------------------------------------------------------------


def test_a_stream_for_a_client() -> None:
    out = [json.loads(piece) for piece in encoded(StreamEncoder(CHAT), WHOLE_TURN)]
    head = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    assert out == [
        {**head, "message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {**head, "message": {"role": "assistant", "content": "Hi"}, "done": False},
        {**head, "message": {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": {"index": 0, "name": "f", "arguments": {"n": 123456789012345678901}}}]}, "done": False},
        {
            **head,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "total_duration": 1_750_000_000,
            "load_duration": 500_000_000,
            "prompt_eval_count": 7,
            "prompt_eval_duration": 250_000_000,
            "eval_count": 3,
            "eval_duration": 1_000_000_000,
            "holdfast": {"did": ["mended"]},
        },
    ]  # fmt: skip


@UNTIMED
@given(turns())
def test_laws_of_every_stream(turn: list[Part]) -> None:
    for envelope in (CHAT, GENERATE):
        out = [json.loads(piece) for piece in encoded(StreamEncoder(envelope), turn)]
        assert [record["done"] for record in out] == [False] * (len(out) - 1) + [True]
        assert not any("error" in record for record in out)
        assert all(("message" in record) != ("response" in record) for record in out)


def test_arguments_written_over_several_lines_stay_on_one() -> None:
    """As vLLM's models write them; a raw newline would end the record."""
    call = Call(id="c", name="f", arguments='{\n  "a": 1.10\n}')
    (piece,) = encoded(StreamEncoder(CHAT), [call])
    assert piece.endswith(b'"arguments":{"a":1.10}}}]},"done":false}\n')


@pytest.mark.parametrize("envelope", [CHAT, GENERATE])
def test_a_heartbeat_is_an_empty_piece(envelope: NativeEnvelope) -> None:
    beat = StreamEncoder(envelope).heartbeat
    assert json.loads(beat)["done"] is False
    assert decoded(Decoder, [beat * 3]) == ([], None)


def test_a_whole_answer() -> None:
    body = json.loads(encode_whole(WHOLE_TURN, CHAT))
    assert body["message"]["tool_calls"] == [{"id": "c", "function": {"index": 0, "name": "f", "arguments": {"n": 123456789012345678901}}}]  # fmt: skip
    assert (body["done"], body["done_reason"], body["holdfast"]) == (True, "stop", {"did": ["mended"]})
    assert json.loads(encode_whole([Text("a")], GENERATE)).items() >= {"response": "a", "done_reason": "length"}.items()


def test_a_model_that_was_only_loaded() -> None:
    head = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True}
    assert json.loads(loaded_json(CHAT, "load")) == {**head, "message": {"role": "assistant", "content": ""}, "done_reason": "load"}  # fmt: skip
    assert json.loads(loaded_json(GENERATE, "unload")) == {**head, "response": "", "done_reason": "unload"}
