"""Of a JSON object that is cut, only the members that the text ends are taken, and its brackets are only closed if nothing else is missing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.dialects.members import Open, members, missing_braces
from gateway.core.dialects.told import called, closed, proven


@pytest.mark.parametrize(
    ("text", "keys", "state"),
    [
        ("{", [], Open.BETWEEN),
        ("{ ", [], Open.BETWEEN),
        ("{}", [], Open.CLOSED),
        ('{"a', [], Open.OPENING),
        ('{"a"', [], Open.OPENING),
        ('{"a":', [], Open.VALUE),
        ('{"a": "x', [], Open.VALUE),
        ('{"a": "x\\"', [], Open.VALUE),
        ('{"a": "x"', ["a"], Open.BETWEEN),
        ('{"a": "x",', ["a"], Open.OPENING),
        ('{"a": "x", "b', ["a"], Open.OPENING),
        ('{"a": 12', [], Open.VALUE),
        ('{"a": 12,', ["a"], Open.OPENING),
        ('{"a": 12}', ["a"], Open.CLOSED),
        ('{"a": true', [], Open.VALUE),
        ('{"a": [1, {"b": 2}', [], Open.VALUE),
        ('{"a": [1, {"b": 2}]', ["a"], Open.BETWEEN),
        ("{'a': 'it\\'s', 'b': True}", ["a", "b"], Open.CLOSED),
        ('{"a": "1\n2"}', ["a"], Open.CLOSED),
        ("{a: 1}", [], Open.BROKEN),
        ('{"a": 1 "b": 2}', ["a"], Open.BROKEN),
    ],
)
def test_members_of_a_text(text: str, keys: list[str], state: Open) -> None:
    found = members(text)
    assert ([item.key for item in found.items], found.state) == (keys, state)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=4), st.data())
def test_no_prefix_proves_a_value_that_is_not_there(value: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(value)
    part, state = proven(text[: data.draw(st.integers(1, len(text)))])
    told = json.loads(part)
    assert all(value[key] == item for key, item in told.items())
    assert (state is Open.CLOSED) <= (told == value)


@pytest.mark.parametrize(
    ("text", "braces"),
    [
        ('{"a": {"b": [1]', "}}"),
        ('{"a": {"b": [1', None),
        ('{"a": "x"', "}"),
        ("{}", ""),
        ('{"a": "x', None),
        ('{"a": 1,', None),
        ('{"a":', None),
        ('{"a": [1}', None),
    ],
)
def test_missing_braces(text: str, braces: str | None) -> None:
    assert missing_braces(text) == braces


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"a": "x"\n', '{"a": "x"}'),
        ('{"a": {"b": 1}', '{"a": {"b": 1}}'),
        ('{"a": [{"b": 1, "c": 2}]', '{"a": [{"b": 1, "c": 2}]}'),
        ('{"a": {"b": 1, "c": 2}', None),
        ('{"a": {"b": {"c": 2}, "d": 3}', None),
        ('{"a": "x', None),
        ('"a"', None),
    ],
)
def test_braces_are_closed_only_where_it_is_certain_which_are_missing(text: str, whole: str | None) -> None:
    assert closed(text) == whole


@pytest.mark.parametrize(
    ("text", "name", "state"),
    [
        ('{"name": "f", "arguments": {"a": 1}}', "f", Open.CLOSED),
        ('{"arguments": {"a": 1}, "name": "f"}', "f", Open.CLOSED),
        ('{"type": "function", "function": {"name": "f", "parameters": {}}}', "f", Open.CLOSED),
        ('{"name": "f"}', "f", Open.CLOSED),
        ('{"name": "f", "arguments": {"a": 1', "f", Open.VALUE),
        ('{"name": "f", "arguments": {"a": {"b": 1}', "f", Open.VALUE),
        ('{"name": "f", "arguments": {"a": "1"', "f", Open.BETWEEN),
        ('{"name": "f", "arg', "f", Open.OPENING),
        ('{"arguments": {"a": 1}, "na', "", Open.OPENING),
        ('{"name": "f', "", Open.OPENING),
    ],
)
def test_what_an_object_tells_of_its_call(text: str, name: str, state: Open) -> None:
    told = called(text)
    assert (told.draft.name, told.state) == (name, state)


def test_a_deep_object_is_told_without_running_out_of_stack() -> None:
    assert called('{"function": ' * 5_000).draft.name == ""
    assert called('{"name": "f", "arguments": ' + '{"a": ' * 50_000).state is Open.VALUE
