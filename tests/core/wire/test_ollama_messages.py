"""Messages of Ollama's native API."""

from __future__ import annotations

import pytest

from gateway.core.conversation import Image, Message, Prose, ToolCall
from gateway.core.errors import BadRequest
from gateway.core.wire.fields import item_fields
from gateway.core.wire.ollama_messages import message_json, message_of


def read(value: dict[str, object]) -> Message:
    return message_of(item_fields(value, "messages[0]"))


def test_a_message_with_everything() -> None:
    given: dict[str, object] = {
        "role": "assistant",
        "content": "Look",
        "thinking": "Hm.",
        "images": ["/9j/4AAQ"],
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": [1, 2.50]}}}],
        "custom": 1,
    }
    message = read(given)
    assert message == Message(
        role="assistant",
        content=(Prose("Look"), Image("/9j/4AAQ", "image/jpeg")),
        thinking="Hm.",
        calls=(ToolCall(id="c", name="f", arguments='{"a":[1,2.5]}'),),
        extra={"custom": 1},
    )
    assert message_json(message) == given


@pytest.mark.parametrize("content", [None, "", [], [""], [{"text": ""}]])
def test_nothing_said(content: object) -> None:
    assert read({"role": "user", "content": content}).content == ()


def test_openais_parts_are_understood_where_they_are_text() -> None:
    assert read({"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}).text == "a\nb"
    for wrong in (5, {"text": "a"}, [{"type": "image_url"}], [1], [None]):
        with pytest.raises(BadRequest, match=r"`messages\[0\]\.content` is no text"):
            read({"role": "user", "content": wrong})


@pytest.mark.parametrize("images", ["/9j/", [1], {"a": 1}, [None]])
def test_pictures_are_base64_texts(images: object) -> None:
    with pytest.raises(BadRequest, match=r"`messages\[0\]\.images`"):
        read({"role": "user", "content": "x", "images": images})


def test_several_texts_become_one_and_developers_are_the_system() -> None:
    message = Message(role="developer", content=(Prose("a"), Prose("b")))
    assert message_json(message) == {"role": "system", "content": "a\nb"}


@pytest.mark.parametrize(
    ("arguments", "upstream"),
    [
        ('{"a":1}', {"a": 1}),
        ("", {}),
        ("null", {}),
        ("[1]", {"arguments": [1]}),
        ('{"path":"a.py","content":"print(1', {"arguments": '{"path":"a.py","content":"print(1'}),
        ("NaN", {"arguments": "NaN"}),
    ],
)
def test_arguments_are_an_object_whatever_the_history_holds(arguments: str, upstream: object) -> None:
    call = ToolCall(id="", name="f", arguments=arguments)
    said = message_json(Message(role="assistant", calls=(call,)))
    assert said["tool_calls"] == [{"function": {"name": "f", "arguments": upstream}}]


def test_the_tool_of_a_result_by_both_its_names() -> None:
    assert read({"role": "tool", "tool_name": "f", "content": "x"}).name == "f"
    assert read({"role": "tool", "name": "f", "content": "x"}).name == "f"
    assert message_json(Message(role="tool", name="f", answers="c"))["tool_name"] == "f"
    assert message_json(Message(role="user", name="ann"))["name"] == "ann"
