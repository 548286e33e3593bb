"""Values between tags, typed by the tool's schema."""

from __future__ import annotations

import pytest

from gateway.testing.parsers.tool_schema import function_of, required_of, typed, types_of

TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "f",
            "parameters": {
                "required": ["a"],
                "properties": {
                    "a": {"type": "integer"},
                    "b": {"type": ["string", "null"]},
                    "c": {"anyOf": [{"type": "number"}, {"type": "array"}]},
                    "d": {},
                },
            },
        },
    },
)


@pytest.mark.parametrize(
    ("raw", "types", "value"),
    [
        ("10", ["integer"], 10),
        ("10", ["string"], "10"),
        ("10", [], "10"),
        ("x", ["integer"], "x"),
        ("2.0", ["number"], 2),
        ("2.5", ["number"], 2.5),
        ("2.5", ["integer"], "2.5"),
        ("True", ["boolean"], True),
        ("maybe", ["boolean"], False),
        ("maybe", ["boolean", "string"], "maybe"),
        ("[1]", ["array"], [1]),
        ('{"a":1}', ["object"], {"a": 1}),
        ("[1", ["array"], "[1"),
        ("NULL", ["string"], None),
        ("true", ["integer"], "true"),
    ],
)
def test_values_are_typed_by_the_schema(raw: str, types: list[str], value: object) -> None:
    assert typed(raw, types) == value
    assert type(typed(raw, types)) is type(value)


def test_the_schema_of_a_declared_tool() -> None:
    assert types_of(TOOLS, "f") == {"a": ("integer",), "b": ("string", "null"), "c": ("number", "array"), "d": ()}
    assert types_of(TOOLS, "g") == {}
    found = function_of(TOOLS, "f")
    assert found is not None
    assert required_of(found) == ["a"]
