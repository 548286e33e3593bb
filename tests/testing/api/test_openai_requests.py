"""What Ollama makes of a `/v1` request: honoured, ignored, forced."""

from __future__ import annotations

import pytest

from gateway.testing.api.openai_requests import chat_body, completion_body
from gateway.testing.generations import NEW, OLD, ApiError, Generation
from gateway.testing.gojson import Json

HI = {"role": "user", "content": "hi"}


def test_temperature_and_top_p_are_forced_where_the_client_is_silent() -> None:
    assert chat_body({"model": "m", "messages": [HI]}, NEW)["options"] == {"temperature": 1.0, "top_p": 1.0}
    body = {"messages": [HI], "temperature": 0, "top_p": 0.5, "max_tokens": 7, "stop": "x", "seed": 3}
    assert chat_body(body, NEW)["options"] == {
        "temperature": 0,
        "top_p": 0.5,
        "num_predict": 7,
        "stop": ["x"],
        "seed": 3,
    }


def test_what_ollama_ignores() -> None:
    ignored: Json = {
        "max_completion_tokens": 9,
        "tool_choice": "required",
        "n": 3,
        "options": {"num_ctx": 9},
        "keep_alive": 1,
        "truncate": False,
        "shift": False,
        "user": "u",
    }
    assert chat_body({"messages": [HI], **ignored}, NEW) == chat_body({"messages": [HI]}, NEW)


def test_each_part_of_a_content_array_is_a_message() -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "text", "text": "b"},
    ]
    assert chat_body({"messages": [{"role": "user", "content": parts}]}, NEW)["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "", "images": ["aGk="]},
        {"role": "user", "content": "b"},
    ]


def test_calls_and_their_results() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"path": "."}'}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "x", "tool_call_id": "c1"},
    ]
    assert chat_body({"messages": messages}, NEW)["messages"] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "ls", "arguments": {"path": "."}}}],
        },
        {"role": "tool", "content": "x", "tool_name": "ls"},
    ]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ({"type": "json_object"}, "json"),
        ({"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}, {"type": "object"}),
        ({"type": "text"}, None),
    ],
)
def test_the_response_format(wanted: object, given: object) -> None:
    assert chat_body({"messages": [HI], "response_format": wanted}, NEW).get("format") == given


@pytest.mark.parametrize(
    ("generation", "effort", "think"),
    [
        (NEW, "none", False),
        (NEW, "minimal", "low"),
        (NEW, "xhigh", "max"),
        (NEW, None, None),
        (OLD, "none", False),
        (OLD, "high", "high"),
    ],
)
def test_reasoning_effort(generation: Generation, effort: str | None, think: object) -> None:
    assert chat_body({"messages": [HI], "reasoning_effort": effort}, generation).get("think") == think
    assert chat_body({"messages": [HI], "reasoning": {"effort": effort}}, generation).get("think") == think


@pytest.mark.parametrize(
    ("generation", "effort", "text"),
    [
        (NEW, "huge", 'invalid reasoning value: "huge" (must be "minimal"'),
        (OLD, "xhigh", "invalid reasoning value: 'xhigh' (must be \"high\""),
    ],
)
def test_an_effort_that_is_unknown(generation: Generation, effort: str, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        chat_body({"messages": [HI], "reasoning_effort": effort}, generation)
    assert refused.value.text.startswith(text)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}], "image URLs are not currently supported"),
        ([{"type": "image_url", "image_url": {"url": "data:text/html;base64,aGk="}}], "invalid image input"),
        ([{"type": "audio"}], "invalid message format"),
        ({"a": 1}, "invalid message content type: map"),
    ],
)
def test_contents_that_are_refused(content: object, text: str) -> None:
    with pytest.raises(ApiError, match=text):
        chat_body({"messages": [{"role": "user", "content": content}]}, NEW)


def test_completions_take_one_prompt() -> None:
    assert completion_body({"model": "m", "prompt": "x", "suffix": "y"})["suffix"] == "y"
    with pytest.raises(ApiError, match=r"cannot unmarshal array into Go struct field CompletionRequest\.prompt"):
        completion_body({"prompt": ["x"]})
