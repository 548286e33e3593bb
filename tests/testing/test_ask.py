"""Requests as strictly read as Ollama's Go structs read them. Texts recorded from 0.24.0."""

from __future__ import annotations

import pytest

from gateway.testing.ask import chat_ask, duration, generate_ask, parse_body
from gateway.testing.generations import ApiError

_BAD_BODIES = [
    (b"", "missing request body"),
    (b"  \n", "missing request body"),
    (b'{"a":', "unexpected EOF"),
    (b"{bad", "invalid character 'b' looking for beginning of value"),
    (b"[" * 100_000, "exceeded max depth"),
    (b"[1]", "json: cannot unmarshal array into Go value of type api.ChatRequest"),
]


@pytest.mark.parametrize(("data", "text"), _BAD_BODIES)
def test_what_is_no_object_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_body(data)
    assert (refused.value.status, refused.value.text) == (400, text)


_BAD_CHATS: list[tuple[dict[str, object], str]] = [
    ({"model": 3}, "json: cannot unmarshal number into Go struct field ChatRequest.model of type string"),
    (
        {"messages": [{"role": "user", "content": ["a"]}]},
        "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string",
    ),
    (
        {"messages": "hi"},
        "json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Messages",
    ),
    ({"stream": "yes"}, "json: cannot unmarshal string into Go struct field ChatRequest.stream of type bool"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "x", "arguments": "{}"}}]}]},
        "Value looks like object, but can't find closing '}' symbol",
    ),
    ({"top_logprobs": 21}, "top_logprobs must be between 0 and 20"),
    ({"think": "much"}, 'invalid think value: "much" (must be "high", "medium", "low", "max", true, or false)'),
    ({"keep_alive": "soon"}, 'time: invalid duration "soon"'),
]


@pytest.mark.parametrize(("body", "text"), _BAD_CHATS)
def test_a_field_of_the_wrong_type_is_refused(body: dict[str, object], text: str) -> None:
    with pytest.raises(ApiError) as refused:
        chat_ask(body)
    assert (refused.value.status, refused.value.text) == (400, text)


def test_a_chat_is_read_with_ollamas_defaults() -> None:
    ask = chat_ask({"model": "m", "messages": [{"role": "USER", "content": "hi"}], "unknown": 1})
    assert (ask.stream, ask.truncate, ask.shift, ask.think, ask.keep_alive) == (True, True, True, None, None)
    assert ask.messages == ({"role": "user", "content": "hi"},)


def test_raw_allows_no_system() -> None:
    with pytest.raises(ApiError, match="raw mode does not support template, system, or context"):
        generate_ask({"model": "m", "prompt": "x", "raw": True, "system": "y"})


def test_a_trailing_assistant_message_is_no_history() -> None:
    body: dict[str, object] = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    ask = chat_ask(body)
    assert ask.prefilled
    assert [message["content"] for message in ask.history] == ["a"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (0, 0.0),
        (-1, -1.0),
        (30.5, 30.5),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("-1s", -1.0),
        ("200ms", 0.2),
        ("0s", 0.0),
    ],
)
def test_durations(value: object, seconds: float | None) -> None:
    assert duration(value) == seconds


def test_an_option_that_must_be_whole() -> None:
    ask = chat_ask({"options": {"num_predict": "x", "num_ctx": 8.0}})
    assert ask.integer("num_ctx") == 8
    with pytest.raises(ApiError, match='option "num_predict" must be of type integer') as refused:
        ask.integer("num_predict")
    assert refused.value.status == 500
