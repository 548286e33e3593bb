"""Any JSON value at any field gives a conversation or a clear 4xx that names the field. Never another exception, never a 500."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.errors import BadRequest
from gateway.core.wire import ollama_request, openai_request, openai_text
from tests.core.wire.json_values import values

UNTIMED = settings(deadline=None)  # a busy machine is no failure

PIXEL = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
TOOL = {"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": SCHEMA}}
OPENAI_CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a.py"}'}}
NATIVE_CALL = {"id": "c1", "function": {"index": 0, "name": "read", "arguments": {"path": "a.py"}}}

OPENAI_CHAT: dict[str, object] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}], "name": "u"},
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "reasoning": "", "tool_calls": [OPENAI_CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "print(1)"},
        {"role": "assistant", "content": "Then", "function_call": {"name": "read", "arguments": "{}"}},
        {"role": "function", "name": "read", "content": "x"},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "read"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    "reasoning_effort": "high",
    "reasoning": {"effort": "low"},
    "chat_template_kwargs": {"enable_thinking": True},
    "think": False,
    "stop": ["a", "b"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "n": 1,
    "temperature": 0.5, "top_p": 1, "top_k": 5, "min_p": 0.1, "seed": 3,
    "presence_penalty": 0, "frequency_penalty": 0, "repeat_penalty": 1.1,
    "max_tokens": 5, "max_completion_tokens": 6,
    "options": {"temperature": 1, "num_predict": 5, "num_ctx": 4096, "stop": "x"},
    "format": "json",
    "user": "u",
}  # fmt: skip
NATIVE_CHAT: dict[str, object] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look.", "images": [PIXEL]},
        {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [NATIVE_CALL]},
        {"role": "tool", "tool_name": "read", "tool_call_id": "c1", "content": "print(1)"},
        {"role": "user", "content": [{"type": "text", "text": "x"}, "y"]},
    ],
    "tools": [TOOL],
    "format": SCHEMA,
    "think": "high",
    "stream": False,
    "keep_alive": "5m",
    "truncate": True,
    "options": {"temperature": 0.5, "num_predict": 5, "num_ctx": 4096, "stop": ["x"], "seed": 1, "num_gpu": 1},
}
NATIVE_PROMPT: dict[str, object] = {
    "model": "m",
    "prompt": "Say",
    "suffix": "!",
    "system": "Be brief.",
    "images": [PIXEL],
    "raw": False,
    "context": [1, 2],
    "template": "x",
    "options": {"top_k": 1},
}
OPENAI_PROMPT: dict[str, object] = {"model": "m", "prompt": "Say", "suffix": "", "max_tokens": 5, "stop": "x", "n": 1, "echo": True}  # fmt: skip
EMBEDDING: dict[str, object] = {"model": "m", "input": ["a"], "encoding_format": "float", "dimensions": 3}

Decode = Callable[[bytes], object]
SURFACES: dict[str, tuple[dict[str, object], Decode]] = {
    "openai chat": (OPENAI_CHAT, openai_request.decode),
    "openai prompt": (OPENAI_PROMPT, openai_text.decode),
    "openai embedding": (EMBEDDING, openai_text.decode_embedding),
    "native chat": (NATIVE_CHAT, ollama_request.decode_chat),
    "native prompt": (NATIVE_PROMPT, ollama_request.decode_generate),
}


def paths(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a request."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from paths(item, (*at, place))


def replaced(request: object, path: tuple[str | int, ...], value: object) -> object:
    changed = copy.deepcopy(request)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    holder[path[-1]] = value  # type: ignore[index]
    return changed


def spelled(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def nested(depth: int, opener: str, closer: str) -> str:
    return opener * depth + "1" + closer * depth


PLACES = [(name, path) for name, (request, _) in SURFACES.items() for path in paths(request)]
ODD = ["", "none", "x" * 500, 0, -1, 10**40, 1.5, True, [], {}, [None], [[]], {"type": "x"}, {"type": None}, "data:,x"]


@UNTIMED
@given(st.sampled_from(PLACES), values | st.sampled_from(ODD))
def test_any_value_at_any_field(place: tuple[str, tuple[str | int, ...]], value: object) -> None:
    name, path = place
    request, decode = SURFACES[name]
    try:
        decoded = decode(jsontext.dump(replaced(request, path, value)))
    except BadRequest as error:
        complains_of(error, path)
        return
    if isinstance(decoded, tuple):
        goes_out(decoded[0])


def complains_of(error: BadRequest, path: tuple[str | int, ...]) -> None:
    problem = error.problem
    assert 400 <= problem.kind.status < 500
    assert problem.param is not None
    assert problem.param in problem.message
    assert len(problem.message) < 500
    # the field itself, what it holds, or what holds it; a choice of tool is judged against the tools
    assert spelled(path).startswith(problem.param) or problem.param.startswith(spelled(path)) or (
        problem.param == "tool_choice" and path[0] == "tools"
    ) or path[-1] == "type"  # fmt: skip


def goes_out(conversation: Conversation) -> None:
    pinned = ollama_request.Pinned(num_ctx=4096, num_predict=5)
    if conversation.completion is None:
        json.loads(ollama_request.encode_chat(conversation, model="m", pinned=pinned))
        if conversation.messages:
            json.loads(openai_request.encode(conversation, model="m", max_tokens=5))
    else:
        json.loads(ollama_request.encode_generate(conversation, model="m", pinned=pinned))
        json.loads(openai_text.encode(conversation, model="m", max_tokens=5))


DEEP = [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]


@pytest.mark.parametrize("depth", [50, 1000, 200_000])
@pytest.mark.parametrize(("opener", "closer"), DEEP)
def test_deep_nesting_in_the_text_of_a_calls_arguments(opener: str, closer: str, depth: int) -> None:
    """Ollama gets arguments as an object, so they are read; what is too deep stays readable as text."""
    call = {**OPENAI_CALL, "function": {"name": "read", "arguments": f'{{"a":{nested(depth, opener, closer)}}}'}}
    body = json.dumps({"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}]})
    goes_out(openai_request.decode(body.encode())[0])


@pytest.mark.parametrize("depth", [1000, 200_000])
@pytest.mark.parametrize(("opener", "closer"), DEEP)
@pytest.mark.parametrize(
    "field",
    [
        '"x":',
        '"messages":',
        '"response_format":{"type":"json_object","schema":',
        '"tools":[{"function":{"name":"f","parameters":',
    ],
)
def test_deep_nesting_anywhere_else_is_refused(field: str, opener: str, closer: str, depth: int) -> None:
    deep = f'{{"model":"m",{field}{nested(depth, opener, closer)}'
    closers = "".join("}" if char == "{" else "]" for char in reversed(field) if char in "{[")
    for decode in (openai_request.decode, ollama_request.decode_chat):
        with pytest.raises(BadRequest, match="nested too deeply"):
            decode(f"{deep}{closers}}}".encode())
        with pytest.raises(
            BadRequest, match=r"nested too deeply|not valid JSON"
        ):  # by what the interpreter meets first
            decode(deep.encode())


@pytest.mark.parametrize(("opener", "closer"), DEEP)
def test_what_is_nested_no_deeper_than_people_do_goes_out(opener: str, closer: str) -> None:
    deep = nested(80, opener, closer)
    body = f'{{"model":"m","messages":[{{"role":"user"}}],"x":{deep},"format":{{"a":{deep}}}}}'
    goes_out(openai_request.decode(body.encode())[0])
    goes_out(ollama_request.decode_chat(body.encode())[0])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no body"),
        (b" \n", "no body"),
        (b"null", "is null"),
        (b"[]", "an array"),
        (b"5", "a number"),
        (b'"x"', "a string"),
        (b"{", "not valid JSON"),
        (b'{"model":"m",}', "not valid JSON"),
        (b"{'model':'m'}", "not valid JSON"),
        (b'{"model":"m"} {}', "not valid JSON"),
        (b'{"model":"m","messages":[{"role":"user"}],"temperature":NaN}', "NaN is no JSON value"),
        (b'{"model":"m","messages":[{"role":"user"}],"x":[-Infinity]}', "-Infinity is no JSON value"),
        (b'{"model":"m","messages":[{"role":"user"}],"x":1e999999999999999999999}', "too many digits"),
        (b'{"model":"m","messages":[{"role":"user"}],"seed":' + b"9" * 5000 + b"}", "too many digits"),
        (b"\x00\x01\x02", "not valid JSON"),
        ('{"model":"m","messages":[]}'.encode("utf-16"), "not valid JSON"),
    ],
)
def test_bodies_that_are_no_request(body: bytes, words: str) -> None:
    for decode in (openai_request.decode, openai_text.decode, ollama_request.decode_chat):
        with pytest.raises(BadRequest) as caught:
            decode(body)
        assert words in caught.value.problem.message


def test_a_byte_order_mark_is_no_harm() -> None:
    body = b'\xef\xbb\xbf{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    assert openai_request.decode(body)[0].messages[0].text == "hi"


def test_bytes_that_are_not_utf_8_become_one_sign_each_and_are_told() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"caf\xe9 \xff"}]}'
    conversation, wish = openai_request.decode(body)
    assert conversation.messages[0].text == "caf\ufffd \ufffd"
    assert wish.repaired
    assert ollama_request.decode_chat(body)[1].repaired


def test_errors_hold_no_digits_that_a_client_takes_for_a_status() -> None:
    messages = [{"role": "user", "content": "x"}] * 503 + [{"role": "critic 429", "content": "x"}]
    with pytest.raises(BadRequest) as caught:
        openai_request.decode(json.dumps({"model": "m", "messages": messages}).encode())
    problem = caught.value.problem
    assert problem.param == "messages[#].role"
    assert problem.message.startswith("`messages[#].role` is 'critic #'; send system")
