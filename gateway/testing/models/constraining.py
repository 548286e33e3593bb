"""What a model says when a `format` binds it: JSON that fits the schema, from what it meant to say if that fits."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.testing.script import Turn


def constrained(turn: Turn, wanted: object) -> Turn:
    """The turn under a `format`: its text if that is JSON, else a call or an empty value that fits the schema."""
    if _is_json(turn.text):
        return Turn(text=turn.text, thinking=turn.thinking)
    schema = wanted if isinstance(wanted, Mapping) else {}
    values = [value for use in turn.calls for value in ({"name": use.name, "arguments": use.arguments}, use.arguments)]
    fitting = next((value for value in values if _fits(value, schema)), None)
    value = smallest(schema) if fitting is None else fitting
    return Turn(text=json.dumps(value, ensure_ascii=False), thinking=turn.thinking)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _fits(value: Mapping[str, object], schema: Mapping[str, object]) -> bool:
    properties, required = schema.get("properties"), schema.get("required")
    known = set(properties) if isinstance(properties, Mapping) else set(value)
    needed = set(map(str, required)) if isinstance(required, list) else set()
    return needed <= set(value) <= known


def smallest(schema: Mapping[str, object]) -> object:
    """The smallest value of a JSON Schema, as far as types go."""
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    properties = schema.get("properties")
    match schema.get("type", "object"):
        case "object":
            found = properties.items() if isinstance(properties, Mapping) else ()
            return {key: smallest(item) for key, item in found if isinstance(item, Mapping)}
        case "array":
            return []
        case "integer" | "number":
            return 0
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return ""
