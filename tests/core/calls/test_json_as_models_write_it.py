"""JSON is read with every digit, mended where its meaning is certain, and refused where it is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Json, Number, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value", "mends"),
    [
        ('{"a": 1}', {"a": Number("1")}, ()),
        ('{"a": 123456789012345678901234567890, "b": 1e400}', {"a": Number("1" + "234567890" * 3 + "12")}, None),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}, ("raw_newline",)),
        ('{"a": "x\ty"}', {"a": "x\ty"}, ("raw_newline",)),
        (r'{"a": ".\Cargo.toml"}', {"a": r".\Cargo.toml"}, ("bad_escape",)),
        (r'{"a": "\d+\n"}', {"a": "\\d+\n"}, ("bad_escape",)),
        (r'{"a": "it\'s"}', {"a": "it's"}, ("bad_escape",)),
        ("{'a': True, 'b': [None, False]}", {"a": True, "b": [None, False]}, ("python_literal",)),
        (r"{'a': 'it\'s'}", {"a": "it's"}, ("python_literal",)),
        ('{"a": [1, 2,],}', {"a": [Number("1"), Number("2")]}, ("trailing_comma",)),
        ('{"a": 1, "a": 1}', {"a": Number("1")}, ("duplicate_key",)),
        ("{'a': 1, 'a': 1}", {"a": Number("1")}, ("python_literal", "duplicate_key")),
        ('{"a": "\ud800"}', {"a": "\ud800"}, ("lone_surrogate",)),
        (r'{"a": "\ud83d\ude00", "b": 1,}', {"a": "😀", "b": Number("1")}, ("trailing_comma",)),
    ],
)
def test_reads_what_has_one_meaning(text: str, value: Json, mends: tuple[str, ...] | None) -> None:
    document = read(text)
    assert document is not None
    if mends is None:  # a long integer and a huge exponent
        assert write(document.value) == text
    else:
        assert (document.value, document.mends) == (value, mends)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": }',
        '{"a": 15:30}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1, "a": 2}',
        '{"a": "say "hi" twice"}',
        '{"a": "half',
        "{'a': 'half}",
        r'{"a": "C:\Users\new"}',  # a folder called new, or a line break
        r'{"a": ".\src\new"}',
        '{"a": 1} and more',
        "{a: 1}",
        '{"a" 1}',
        "[1 2]",
        "[tru]",
        "[" * 400 + "]" * 400,
        "[" * 400 + "'" + "]" * 400,
        "[" * 100_000,
    ],
)
def test_refuses_what_has_none_or_several(text: str) -> None:
    assert read(text) is None


@given(VALUES)
def test_writes_what_it_reads(value: object) -> None:
    document = read(json.dumps(value))
    assert document is not None
    assert json.loads(write(document.value)) == value


@given(st.text())
def test_never_raises(text: str) -> None:
    read(text)
    read('{"a": ' + text)
    read("{'" + text + "'}")


def test_a_lone_surrogate_goes_out_escaped() -> None:
    assert write({"a": "\ud800é"}) == '{"a": "\\ud800\\u00e9"}'
