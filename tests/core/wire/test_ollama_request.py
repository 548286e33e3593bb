"""Ollama's native requests: what its clients send, and what the gateway itself sends to every Ollama."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.core.conversation import Completion, Conversation, Message, Prose, Sampling, Think, ToolCall
from gateway.core.errors import BadRequest
from gateway.core.wire import ollama_request, openai_request
from gateway.core.wire.ollama_request import (
    NativeWish,
    Pinned,
    decode_chat,
    decode_generate,
    encode_chat,
    encode_generate,
)

USER = {"role": "user", "content": "hi"}
PINNED = Pinned(num_ctx=8192, num_predict=100)


def read(**fields: object) -> Conversation:
    return decode_chat(json.dumps({"model": "m", "messages": [USER], **fields}).encode())[0]


def wish(**fields: object) -> NativeWish:
    return decode_chat(json.dumps({"model": "m", **fields}).encode())[1]


def sent(conversation: Conversation, pinned: Pinned = PINNED) -> Mapping[str, object]:
    encode = encode_chat if conversation.completion is None else encode_generate
    body: Mapping[str, object] = json.loads(encode(conversation, model="real", pinned=pinned))
    return body


def test_nothing_is_truncated_or_shifted_and_the_window_is_pinned() -> None:
    assert sent(read()) == {
        "model": "real",
        "messages": [USER],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 8192, "num_predict": 100},
    }


def test_what_only_we_may_say_is_never_taken_from_a_client() -> None:
    told = {"stream": False, "truncate": True, "shift": True, "logprobs": True, "top_logprobs": 9, "raw": True}
    others = {"_debug_render_only": True, "context": [1], "template": "x", "system": "x", "suffix": "x", "prompt": "x"}
    plain = sent(read())
    assert sent(read(**told, **others)) == plain
    shouted = {name.upper(): value for name, value in (told | others | {"options": {"num_ctx": 1}}).items()}
    assert sent(read(**shouted)) == plain  # Go takes a field by any case


def test_nor_where_another_tongue_let_it_ride() -> None:
    """A raw continuation goes to /api/generate, where `system` and its like make Ollama refuse."""
    body = {
        "model": "m",
        "messages": [USER],
        "system": "x",
        "Template": "x",
        "images": ["x"],
        "_debug_render_only": True,
    }
    conversation, _ = openai_request.decode(json.dumps(body).encode())
    raw = replace(conversation, completion=Completion(prompt="p", raw=True))
    assert sent(raw).keys() == {"model", "prompt", "raw", "stream", "truncate", "shift", "options"}


def test_unknown_fields_reach_ollama() -> None:
    assert sent(read(keep_alive="10m", metadata={"a": 1}))["metadata"] == {"a": 1}


def test_the_clients_keep_alive_wins_over_the_policys() -> None:
    pinned = Pinned(keep_alive=-1)
    assert sent(read(keep_alive="10m"), pinned)["keep_alive"] == "10m"
    assert sent(read(), pinned)["keep_alive"] == -1
    assert "keep_alive" not in sent(read())


def test_the_clients_options_win_but_for_those_that_reload_the_model() -> None:
    given = {"temperature": 0.5, "mirostat": 1, "num_ctx": 2048, "num_gpu": 0, "num_thread": 1, "num_predict": 7}
    pinned = Pinned(num_ctx=8192, num_predict=100, options={"temperature": 1, "num_gpu": 99, "num_ctx": 1, "top_k": 5})
    assert sent(read(options=given), pinned)["options"] == {
        "temperature": 0.5,
        "mirostat": 1,
        "top_k": 5,
        "num_gpu": 99,
        "num_ctx": 8192,
        "num_predict": 100,
    }


def test_a_window_that_nobody_pinned_is_left_to_ollama() -> None:
    assert sent(read(options={"num_ctx": 2048}), Pinned(options={"num_ctx": 4096}))["options"] == {}


@pytest.mark.parametrize(("limit", "read_as"), [(5, 5), (0, None), (-1, None), (-2, None), (None, None)])
def test_ollamas_limits_below_one_mean_none(limit: object, read_as: int | None) -> None:
    assert read(options={"num_predict": limit}).sampling.max_tokens == read_as


@pytest.mark.parametrize("stop", ["x", ["x"], ["", "x"]])
def test_stop_is_among_the_options(stop: object) -> None:
    conversation = read(options={"stop": stop, "seed": 3})
    assert conversation.sampling == Sampling(seed=3, stop=("x",))
    assert sent(conversation)["options"] == {"seed": 3, "stop": ["x"], "num_ctx": 8192, "num_predict": 100}


@pytest.mark.parametrize(
    ("effort", "think"),
    [
        (True, True),
        (False, False),
        ("none", False),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "high"),
        ("max", "high"),
        ("ultra", "high"),
        ("odd", "odd"),  # Ollama names the right ones itself
    ],
)
def test_efforts_that_every_ollama_takes(effort: Think, think: Think) -> None:
    assert sent(Conversation(model="m", think=effort))["think"] == think


def test_structured_output() -> None:
    assert sent(read(format="json"))["format"] == "json"
    assert sent(read(format={"type": "object"}))["format"] == {"type": "object"}
    assert "format" not in sent(read(format=""))
    with pytest.raises(BadRequest, match="format"):
        read(format="yaml")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"messages": [USER]}, NativeWish()),
        ({"messages": [USER], "stream": False}, NativeWish(stream=False)),
        ({}, NativeWish(load_only=True)),
        ({"messages": []}, NativeWish(load_only=True)),
        ({"keep_alive": 0}, NativeWish(load_only=True, unload=True)),
        ({"keep_alive": "0"}, NativeWish(load_only=True, unload=True)),
        ({"keep_alive": "0s"}, NativeWish(load_only=True, unload=True)),
        ({"keep_alive": False}, NativeWish(load_only=True)),
        ({"keep_alive": "5m"}, NativeWish(load_only=True)),
        ({"keep_alive": 0, "messages": [USER]}, NativeWish()),
    ],
)
def test_requests_that_only_load_or_free_a_model(fields: dict[str, object], expected: NativeWish) -> None:
    assert wish(**fields) == expected


def test_a_prompt_of_pictures_is_a_prompt() -> None:
    assert decode_generate(b'{"model":"m"}')[1].load_only
    assert not decode_generate(b'{"model":"m","images":["/9j/x"]}')[1].load_only


def test_a_bare_prompt_goes_out_with_what_belongs_to_it() -> None:
    body = b'{"model":"m","prompt":"p","suffix":"s","system":"y","images":["/9j/x"],"raw":true}'
    upstream = sent(decode_generate(body)[0])
    assert {name: upstream[name] for name in ("prompt", "suffix", "system", "images", "raw")} == {
        "prompt": "p",
        "suffix": "s",
        "system": "y",
        "images": ["/9j/x"],
        "raw": True,
    }


def test_older_clients_call_the_model_name() -> None:
    assert decode_chat(b'{"name":"m","messages":[]}')[0].model == "m"
    with pytest.raises(BadRequest, match="GET /api/tags"):
        decode_chat(b'{"messages":[]}')


def test_a_probe_renders_and_generates_nothing() -> None:
    upstream = sent(read(), Pinned(render=True, num_predict=1))
    assert (upstream["_debug_render_only"], upstream["stream"]) == (True, False)
    assert sent(read(), Pinned(logprobs=True))["logprobs"] is True


def test_tools_are_left_out_where_the_client_wants_none() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    conversation = read(tools=tools)
    assert sent(conversation)["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
    ]
    assert "tools" not in sent(replace(conversation, tool_choice="none"))


def test_a_result_says_which_tool_it_came_from() -> None:
    """gpt-oss's template writes the tool's name, which OpenAI's clients leave out."""
    calls = (ToolCall(id="c1", name="read", arguments="{}"), ToolCall(id="c2", name="run", arguments="{}"))
    history = Conversation(
        model="m",
        messages=(
            Message(role="assistant", calls=calls),
            Message(role="tool", answers="c2", content=(Prose("ok"),)),
            Message(role="tool", answers="c1", content=(Prose("text"),)),
            Message(role="tool", answers="unknown"),
        ),
    )
    messages = sent(history)["messages"]
    assert isinstance(messages, list)
    assert [message.get("tool_name") for message in messages] == [None, "run", "read", None]


def test_digits_of_arguments_and_schemas_are_kept() -> None:
    call = ToolCall(
        id="c", name="f", arguments='{"id": 12345678901234567890123, "x": 0.1000000000000000055, "v": 1.10}'
    )
    tool = b'{"type":"function","function":{"name":"f","parameters":{"maximum":123456789012345678901}}}'
    conversation = decode_chat(b'{"model":"m","messages":[],"tools":[' + tool + b"]}")[0]
    out = encode_chat(
        replace(conversation, messages=(Message(role="assistant", calls=(call,)),)), model="m", pinned=PINNED
    )
    assert b'"arguments":{"id":12345678901234567890123,"x":0.1000000000000000055,"v":1.10}' in out
    assert b'"maximum":123456789012345678901}' in out


def test_every_reserved_name_is_lower_case_to_be_compared() -> None:
    assert all(name == name.casefold() for name in ollama_request.RESERVED)
