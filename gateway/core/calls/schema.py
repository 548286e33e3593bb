"""What a tool's schema says about one argument. Law: a value changes its type only where its meaning stays the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Document, Json, Number

_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
# What clients write that do not keep to JSON Schema, as vLLM and Ollama read it. Any other name says nothing.
_TYPES = {
    **dict.fromkeys(("string", "str", "text"), "string"),
    **dict.fromkeys(("integer", "int", "long"), "integer"),
    **dict.fromkeys(("number", "float", "double"), "number"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("array", "list", "tuple"), "array"),
    **dict.fromkeys(("object", "dict", "map"), "object"),
    "null": "null",
}
_MOST_REFERENCES = 8  # a schema that refers to itself must not hold us

ANYTHING: frozenset[str] = frozenset()


def properties_of(schema: Mapping[str, object]) -> Mapping[str, object]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def required_of(schema: Mapping[str, object]) -> tuple[str, ...]:
    found = schema.get("required")
    return tuple(key for key in found if isinstance(key, str)) if isinstance(found, list | tuple) else ()


def types_of(schema: object, root: Mapping[str, object], *, depth: int = 0) -> frozenset[str]:
    """The JSON types that a schema takes; `ANYTHING` where it says nothing. References are looked up in `root`."""
    if not isinstance(schema, Mapping) or depth > _MOST_REFERENCES:
        return ANYTHING
    found = _own_types(schema)
    if not found and isinstance(reference := schema.get("$ref"), str):
        found = types_of(_referred(reference, root), root, depth=depth + 1)
    if not found:
        found = _branch_types(schema, root, depth)
    return found | {"null"} if found and schema.get("nullable") is True else found


def _own_types(schema: Mapping[str, object]) -> frozenset[str]:
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(kinds, list | tuple):
        known = [_TYPES.get(item.lower(), "") if isinstance(item, str) else "" for item in kinds]
        return frozenset(known) if all(known) else ANYTHING
    if "const" in schema:
        return frozenset({_type_name(schema["const"])})
    choices = schema.get("enum")
    return frozenset(map(_type_name, choices)) if isinstance(choices, list | tuple) else ANYTHING


def _branch_types(schema: Mapping[str, object], root: Mapping[str, object], depth: int) -> frozenset[str]:
    for key in ("anyOf", "oneOf"):
        branches = schema.get(key)
        if isinstance(branches, list | tuple) and branches:
            kinds = [types_of(branch, root, depth=depth + 1) for branch in branches]
            return frozenset().union(*kinds) if all(kinds) else ANYTHING
    branches = schema.get("allOf")
    for branch in branches if isinstance(branches, list | tuple) else ():
        if kinds_of_branch := types_of(branch, root, depth=depth + 1):
            return kinds_of_branch
    return ANYTHING


def _referred(reference: str, root: Mapping[str, object]) -> object:
    found: object = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "string")


def typed(raw: str, types: frozenset[str]) -> Document | None:
    """The value of an argument that was written as raw text. None: none of the types takes it.

    Among several types the JSON ones are tried first and the string last, as Ollama and SGLang do; text for an
    argument that the schema does not describe is a string.
    """
    if not types or types == {"string"}:
        return Document(raw)
    if (found := _scalar(raw.strip(), types)) is not None:
        return found
    if types & {"array", "object"} and raw.lstrip()[:1] in ("[", "{"):
        document = read(raw.strip())
        if document and fits(document.value, types):
            return document
    return Document(raw) if "string" in types else None


def _scalar(text: str, types: frozenset[str]) -> Document | None:
    word = text.lower()
    if word in ("null", "none") and ("null" in types or "string" not in types):
        return Document(None)
    if word in ("true", "false") and "boolean" in types:
        return Document(word == "true")
    if _NUMBER.fullmatch(text) and fits(Number(text), types):
        return Document(Number(text))
    return None


def fits(value: Json, types: frozenset[str]) -> bool:
    if not types:
        return True
    if isinstance(value, Number):
        return "number" in types or ("integer" in types and _whole(value))
    if value is None:
        return "null" in types
    names: dict[type, str] = {bool: "boolean", str: "string", list: "array", dict: "object"}
    return names[type(value)] in types


def coerced(value: Json, types: frozenset[str]) -> Document | None:
    """The value in a type that the schema takes, with the mend named where it had to change; None: it has none."""
    if fits(value, types):
        return Document(value)
    if isinstance(value, str):
        found = typed(value, types - {"string"})
        return Document(found.value, (f"string_to_{_named(found.value)}", *found.mends)) if found else None
    if "string" in types and isinstance(value, Number):
        return Document(value.digits, ("number_to_string",))
    if "string" in types and isinstance(value, bool):
        return Document("true" if value else "false", ("boolean_to_string",))
    return None


def _named(value: Json) -> str:
    if isinstance(value, Number):
        return "integer" if _INTEGER.fullmatch(value.digits) else "number"
    if isinstance(value, bool):
        return "boolean"
    return "null" if value is None else "json"


def _whole(number: Number) -> bool:
    """Whether a number is one that JSON Schema calls an integer (5, 5.0, 1e3)."""
    if _INTEGER.fullmatch(number.digits):
        return True
    mantissa, _, exponent = number.digits.lower().partition("e")
    _, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0) if len(exponent) < 6 else 0
    return len(fraction.rstrip("0")) <= shift
