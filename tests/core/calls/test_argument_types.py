"""What a schema says about an argument, and which values can take its type without changing their meaning."""

from __future__ import annotations

import pytest

from gateway.core.calls.json_value import Json, Number
from gateway.core.calls.schema import ANYTHING, coerced, typed, types_of


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["integer", "null"]}, {"integer", "null"}),
        ({"type": "float"}, {"number"}),
        ({"type": "vector"}, set()),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, {"object", "null"}),
        ({"oneOf": [{"type": "string"}, {}]}, set()),
        ({"allOf": [{"description": "x"}, {"type": "array"}]}, {"array"}),
        ({"enum": ["a", "b"]}, {"string"}),
        ({"enum": [1, None]}, {"integer", "null"}),
        ({"const": True}, {"boolean"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"$ref": "#/$defs/unit"}, {"string"}),
        ({"$ref": "#/$defs/nowhere"}, set()),
        ({"$ref": "#/$defs/self"}, set()),
        ({}, set()),
        (True, set()),
        (None, set()),
    ],
)
def test_types_of_a_schema(schema: object, types: set[str]) -> None:
    root = {"$defs": {"unit": {"type": "string"}, "self": {"$ref": "#/$defs/self"}}}
    assert types_of(schema, root) == frozenset(types)


@pytest.mark.parametrize(
    ("raw", "types", "value"),
    [
        ("  as it is\n", {"string"}, "  as it is\n"),
        ("5", ANYTHING, "5"),
        (" 5 ", {"integer"}, Number("5")),
        ("5.0", {"integer"}, Number("5.0")),
        ("3.14", {"number"}, Number("3.14")),
        ("True", {"boolean"}, True),
        ("null", {"string", "null"}, None),
        ("null", {"string"}, "null"),
        ("null", {"integer"}, None),
        ('{"a": 1}', {"object"}, {"a": Number("1")}),
        ("[{'a': 'b'}]", {"array"}, [{"a": "b"}]),
        ("no list", {"array", "string"}, "no list"),
        ("7", {"integer", "string"}, Number("7")),
        ('{"a": 1}', {"object", "string"}, {"a": Number("1")}),
    ],
)
def test_raw_text_takes_the_type_of_the_schema(raw: str, types: set[str], value: Json) -> None:
    document = typed(raw, frozenset(types))
    assert document is not None
    assert document.value == value


@pytest.mark.parametrize(
    ("raw", "types"), [("ten", {"integer"}), ("5.5", {"integer"}), ("yes", {"boolean"}), ("[1", {"array"})]
)
def test_raw_text_that_has_no_such_type(raw: str, types: set[str]) -> None:
    assert typed(raw, frozenset(types)) is None


@pytest.mark.parametrize(
    ("value", "types", "changed", "mends"),
    [
        ("10", {"integer"}, Number("10"), ("string_to_integer",)),
        ("1.5", {"number"}, Number("1.5"), ("string_to_number",)),
        ("true", {"boolean"}, True, ("string_to_boolean",)),
        ('["a"]', {"array"}, ["a"], ("string_to_json",)),
        ("{'a': 1}", {"object"}, {"a": Number("1")}, ("string_to_json", "python_literal")),
        ("null", {"null"}, None, ("string_to_null",)),
        (Number("5"), {"string"}, "5", ("number_to_string",)),
        (False, {"string"}, "false", ("boolean_to_string",)),
        (Number("5"), {"number"}, Number("5"), ()),
        (Number("2e1"), {"integer"}, Number("2e1"), ()),
        ([], {"array"}, [], ()),
        ("x", ANYTHING, "x", ()),
    ],
)
def test_a_value_changes_its_type_where_that_is_certain(
    value: Json, types: set[str], changed: Json, mends: tuple[str, ...]
) -> None:
    document = coerced(value, frozenset(types))
    assert document is not None
    assert (document.value, document.mends) == (changed, mends)


@pytest.mark.parametrize(
    ("value", "types"),
    [
        ("ten", {"integer"}),
        (Number("1.5"), {"integer"}),
        ({"a": 1}, {"string"}),
        ([], {"string"}),
        (True, {"integer"}),
        ("a", {"array"}),
    ],
)
def test_a_value_that_cannot(value: Json, types: set[str]) -> None:
    assert coerced(value, frozenset(types)) is None
