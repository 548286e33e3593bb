"""Messages of the OpenAI API: what agents really send."""

from __future__ import annotations

import pytest

from gateway.core.conversation import Image, Message, Prose, ToolCall
from gateway.core.errors import BadRequest, Code
from gateway.core.wire.fields import item_fields
from gateway.core.wire.openai_messages import message_json, message_of

URL = "data:image/png;base64,iVBORw0KGgo="


def read(value: dict[str, object]) -> Message:
    return message_of(item_fields(value, "messages[0]"))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("hi", (Prose("hi"),)),
        ("", ()),
        (None, ()),
        ([], ()),
        (["a", "b"], (Prose("a"), Prose("b"))),
        ([{"type": "text", "text": "a"}], (Prose("a"),)),
        ([{"text": "a"}], (Prose("a"),)),
        ([{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}], (Prose("a"), Prose("b"))),
        ([{"type": "text", "text": ""}, ""], ()),
        ([{"type": "text", "text": "a", "cache_control": {"x": 1}}], (Prose("a", {"cache_control": {"x": 1}}),)),
        ([{"type": "refusal", "refusal": "No."}], (Prose("No."),)),
        ([{"type": "image_url", "image_url": {"url": URL}}], (Image("iVBORw0KGgo=", "image/png"),)),
        ([{"type": "image_url", "image_url": URL}], (Image("iVBORw0KGgo=", "image/png"),)),
    ],
)
def test_content(content: object, parts: tuple[object, ...]) -> None:
    assert read({"role": "user", "content": content}).content == parts


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "data:image/png,raw"}},
        {"type": "image_url"},
        {"type": "input_audio", "input_audio": {}},
        {"type": "file", "file": {}},
    ],
)
def test_parts_that_cannot_be_served(part: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as caught:
        read({"role": "user", "content": [{"type": "text", "text": "x"}, part]})
    problem = caught.value.problem
    assert problem.code is Code.UNSUPPORTED
    assert (problem.param or "").startswith("messages[0].content[1].")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_a_thought_by_any_name(field: str) -> None:
    message = read({"role": "assistant", "content": "x", field: "Hm."})
    assert (message.thinking, message.extra) == ("Hm.", {})


def test_a_call_before_calls_had_ids() -> None:
    asked = read({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}})
    answered = read({"role": "function", "name": "f", "content": "2"})
    assert asked.calls == (ToolCall(id="", name="f", arguments='{"a":1}'),)
    assert (answered.role, answered.name) == ("tool", "f")


def test_arguments_may_come_as_an_object() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": {"n": 12345678901234567890123}}}
    assert read({"role": "assistant", "tool_calls": [call]}).calls[0].arguments == '{"n":12345678901234567890123}'


def test_unknown_fields_of_a_message_and_a_call_survive() -> None:
    given = {
        "role": "assistant",
        "content": "",
        "prefix": True,
        "tool_calls": [{"id": "c", "type": "function", "index": 0, "extra_content": {"sig": "x"}, "function": {"name": "f", "arguments": "{}"}}],
    }  # fmt: skip
    message = read(given)
    assert (message.extra, message.calls[0].extra) == ({"prefix": True}, {"index": 0, "extra_content": {"sig": "x"}})
    assert message_json(message) == given | {"content": None}


def test_a_tools_result_as_an_array_is_one_text() -> None:
    message = read({"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})  # fmt: skip
    assert (message.text, message.answers) == ("a\nb", "c")


@pytest.mark.parametrize("role", ["critic", "", "User", "x" * 10_000])
def test_roles_that_nobody_has(role: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read({"role": role, "content": "x"})
    assert caught.value.problem.param == "messages[0].role"
    assert len(caught.value.problem.message) < 200
