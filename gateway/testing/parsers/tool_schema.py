"""The tools that a request declares: finding one, what it requires, and values typed by its schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gateway.testing.ask import Messages

_TYPES: Mapping[type, set[str]] = MappingProxyType(
    {int: {"integer", "number"}, float: {"number"}, list: {"array"}, dict: {"object"}}
)


def typed(raw: str, types: Iterable[str]) -> object:
    """A value written between tags, by its schema's types; what fits none stays a string."""
    wanted = set(types)
    if raw.lower() == "null":
        return None
    if "boolean" in wanted and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    if wanted == {"boolean"}:
        return False
    value = _json_or_none(raw)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if wanted & _TYPES.get(type(value), set()) else raw


def _json_or_none(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def function_of(tools: Messages, name: str) -> Mapping[str, object] | None:
    functions = (tool.get("function") for tool in tools)
    return next((f for f in functions if isinstance(f, dict) and f.get("name") == name), None)


def _schema(function: Mapping[str, object] | None) -> Mapping[str, object]:
    parameters = function.get("parameters") if function else None
    return parameters if isinstance(parameters, dict) else {}


def required_of(function: Mapping[str, object]) -> list[str]:
    required = _schema(function).get("required")
    return [str(key) for key in required] if isinstance(required, list) else []


def types_of(tools: Messages, name: str) -> dict[str, tuple[str, ...]]:
    properties = _schema(function_of(tools, name)).get("properties")
    found = properties.items() if isinstance(properties, dict) else ()
    return {key: _union(value) for key, value in found if isinstance(value, dict)}


def _union(schema: Mapping[str, object]) -> tuple[str, ...]:
    union = schema.get("anyOf")
    if isinstance(union, list):
        return tuple(name for item in union if isinstance(item, dict) for name in _union(item))
    named = schema.get("type")
    return tuple(map(str, named)) if isinstance(named, list) else (str(named),) if named else ()
