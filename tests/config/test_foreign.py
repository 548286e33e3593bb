"""Other programs' files as plain data: comments and commas go, strings stay, and nothing is raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.foreign import Unreadable, from_json, from_yaml

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": 1} // end', {"a": 1}),
        ('{/* one\n two */ "a": [1, 2,], }', {"a": [1, 2]}),
        ('{"url": "http://h:1//x", "b": "/* no comment */", "c": ",]"}', {"url": "http://h:1//x", "b": "/* no comment */", "c": ",]"}),
        ('{"quoted": "a \\" // b"}', {"quoted": 'a " // b'}),
        ('{"a": 1, // first\n // second\n}', {"a": 1}),
        ("\ufeff[]", []),
    ],
)  # fmt: skip
def test_json_with_comments(text: str, data: object) -> None:
    assert from_json(text) == data


def test_the_right_line_is_named_behind_a_comment_of_several_lines() -> None:
    assert from_json('{\n/* a\nb\nc */\n"a": nope}') == Unreadable("line 5: Expecting value")
    assert from_yaml("a: 1\nb: [") == Unreadable("line 2: expected the node content, but found '<stream end>'")


@given(JSON)
def test_plain_json_is_read_as_it_is(data: object) -> None:
    assert from_json(json.dumps(data)) == data


@given(st.text() | st.text('{}[]",:/* \n\\a1!&-'))
def test_nothing_is_raised(text: str) -> None:
    from_json(text)
    from_yaml(text)


def test_depth_is_no_crash() -> None:
    assert isinstance(from_json("[" * 100_000), Unreadable)
    assert isinstance(from_yaml("[" * 500), Unreadable)
