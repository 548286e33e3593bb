"""A string written as Python stands for what Python itself makes of it."""

from __future__ import annotations

import ast
import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import ToolReader, choose
from gateway.core.stream import Call

SAY = ToolSpec(name="say", parameters={"type": "object", "properties": {"text": {"type": "string"}}})
INSIDE = st.lists(
    st.sampled_from(
        [
            "\\n",
            "\\t",
            "\\\\",
            "\\'",
            '\\"',
            "\\x41",
            "\\u683c",
            "\\101",
            "\\a",
            "\\q",
            "a",
            "é",
            "格",
            "😀",
            "\\U0001f600",
        ]
    ),
    max_size=12,
).map("".join)


def said(literal: str, size: int) -> object:
    text = f"<|tool_call_start|>[say(text={literal})]<|tool_call_end|>"
    reader = ToolReader(choose(named="pythonic", family="", model="", template=""), (SAY,))
    parts = [part for at in range(0, len(text), size) for part in reader.feed(text[at : at + size])]
    parts += reader.close()
    [call] = parts
    assert isinstance(call, Call)
    return json.loads(call.arguments)["text"]


@given(INSIDE, st.sampled_from(["'", '"', "'''", '"""']), st.sampled_from(["", "r", "u"]), st.integers(1, 9))
def test_a_string(inside: str, quote: str, prefix: str, size: int) -> None:
    literal = f"{prefix}{quote}{inside}{quote}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know, which stand for themselves
        try:
            meant = ast.literal_eval(literal)
        except SyntaxError:
            return  # a backslash before the closing quote of a raw string
    assert said(literal, size) == meant


@pytest.mark.parametrize(
    ("literal", "meant"),
    [(r"'\ud83d'", "\ud83d"), ("'one\ntwo'", "one\ntwo"), ("'a\\\nb'", "ab")],
)
def test_what_models_write_beside(literal: str, meant: str) -> None:
    """A line end that is not escaped is what it looks like."""
    assert said(literal, 3) == meant
