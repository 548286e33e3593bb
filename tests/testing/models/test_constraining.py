"""What a model says under a `format`."""

from __future__ import annotations

import json

from gateway.testing.models.constraining import constrained, smallest
from gateway.testing.script import ToolUse, says

WRITE = ToolUse("write_file", {"path": "a.py", "content": "1"})
ARGUMENTS = {"type": "object", "properties": {"path": {}, "content": {}}, "required": ["path", "content"]}
CALL = {
    "type": "object",
    "properties": {"name": {"const": "write_file"}, "arguments": ARGUMENTS},
    "required": ["name", "arguments"],
}


def test_json_that_it_means_to_say_is_said() -> None:
    assert constrained(says('{"a": 1}'), "json").text == '{"a": 1}'


def test_a_call_is_said_in_the_shape_that_is_asked_for() -> None:
    assert json.loads(constrained(says("So.", WRITE), CALL).text) == {
        "name": "write_file",
        "arguments": WRITE.arguments,
    }
    assert json.loads(constrained(says("So.", WRITE), ARGUMENTS).text) == WRITE.arguments


def test_else_the_smallest_value_of_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "n": {"type": "integer"},
            "l": {"type": "array"},
            "e": {"enum": ["x", "y"]},
        },
        "required": ["a", "n"],
    }
    assert json.loads(constrained(says("prose"), schema).text) == {"a": "", "n": 0, "l": [], "e": "x"}
    assert json.loads(constrained(says("prose"), "json").text) == {}
    assert (smallest({"type": "boolean"}), smallest({"type": "null"}), smallest({"const": 3})) == (False, None, 3)
