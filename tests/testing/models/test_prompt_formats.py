"""How prompts are written: what stays open, what is trimmed, closed or dropped."""

from __future__ import annotations

import pytest

from gateway.testing.ask import Messages, Think
from gateway.testing.models.dialects import DIALECTS
from gateway.testing.models.formats import FORMATS

USER = {"role": "user", "content": "hi"}
HALF = {"role": "assistant", "content": "Sure. \n"}


def render(name: str, *messages: object, think: Think = None, tools: Messages = ()) -> str:
    dialect = DIALECTS.get(name, DIALECTS["qwen3-coder"])
    return FORMATS[name].render(messages, tools, think, dialect)  # type: ignore[arg-type]


def test_chatml() -> None:
    system = {"role": "system", "content": "Be brief."}
    assert render("qwen3-coder", system, USER) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("name", "think", "end"),
    [
        ("qwen3-coder", None, "<|im_start|>assistant\nSure. \n"),
        ("chatml-open", None, "<|im_start|>assistant\nSure. \n"),
        ("qwen3.5", False, "<|im_start|>assistant\nSure."),
        ("qwen3.5", True, "<|im_start|>assistant\n<think>\n\n</think>\n\nSure."),
        ("chatml", None, "<|im_start|>assistant\nSure. \n<|im_end|>\n<|im_start|>assistant\n"),
        ("glm-4.7", True, "<|assistant|></think>Sure. \n<|assistant|><think>"),
        ("gemma4", None, "<|turn>model\nSure. \n<turn|>\n<|turn>model\n"),
    ],
)
def test_a_trailing_assistant_message_is_left_open_trimmed_or_closed(name: str, think: Think, end: str) -> None:
    assert render(name, USER, HALF, think=think).endswith(end)


@pytest.mark.parametrize(
    ("name", "think", "end"),
    [
        ("qwen3.5", True, "assistant\n<think>\n"),
        ("qwen3.5", False, "assistant\n<think>\n\n</think>\n\n"),
        ("qwen3", True, "assistant\n"),
        ("glm-4.7", True, "<|assistant|><think>"),
        ("glm-4.7", False, "<|assistant|></think>"),
        ("qwen3-coder", None, "assistant\n"),
    ],
)
def test_the_format_opens_the_thought_or_leaves_it_to_the_model(name: str, think: Think, end: str) -> None:
    assert render(name, USER, think=think).endswith(end)


def test_earlier_thoughts_are_dropped_once_a_user_message_follows() -> None:
    thought = {"role": "assistant", "content": "42", "thinking": "6 x 7"}
    assert "6 x 7" not in render("qwen3.5", USER, thought, USER, think=True)
    result = {"role": "tool", "content": "ok"}
    assert "<think>\n6 x 7\n</think>\n\n42" in render("qwen3.5", USER, thought, result, think=True)
    assert "<think>6 x 7</think>42" in render("glm-4.7", USER, thought, USER, think=True)
    assert "6 x 7" not in render("qwen3-coder", USER, thought, result)


def test_calls_and_results_stand_in_the_models_own_dialect() -> None:
    call = {"function": {"name": "read", "arguments": {"path": "a.py"}}}
    called = {"role": "assistant", "content": "", "tool_calls": [call]}
    prompt = render("qwen3-coder", USER, called, {"role": "tool", "content": "one"}, {"role": "tool", "content": "two"})
    assert (
        "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call><|im_end|>"
        in prompt
    )
    both = "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response><|im_end|>"
    assert f"<|im_start|>user\n{both}" in prompt


def test_a_trailing_message_with_calls_is_closed_and_no_turn_is_begun() -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "read", "arguments": {}}}]}
    assert render("qwen3-coder", USER, called).endswith("</tool_call><|im_end|>\n")


def test_tools_are_told_once_in_the_system_message() -> None:
    tool = {"type": "function", "function": {"name": "read"}}
    prompt = render("qwen3-coder", {"role": "system", "content": "Be brief."}, USER, tools=(tool,))
    assert prompt.count('"name": "read"') == 1
    assert prompt.index('"name": "read"') < prompt.index("Be brief.") < prompt.index("<|im_start|>user")


def test_pictures_have_a_place_in_the_prompt() -> None:
    assert "hi[img-0][img-1]" in render("qwen3-coder", {**USER, "images": ["aGk=", "aGk="]})
