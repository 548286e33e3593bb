"""What JSON text stands for, numbers in their own digits, and how it is written again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

MOST_DEPTH = 200  # of nested arrays and objects; deeper ones are refused, so that nobody runs out of stack


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the digits that it was written with."""

    digits: str


Json: TypeAlias = "bool | str | Number | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Document:
    """A value and what had to be put right to read it."""

    value: Json
    mends: tuple[str, ...] = ()


class Unsure(Exception):
    """The text has no certain meaning. Only `json_text` and `lenient` see it."""


def once(pairs: list[tuple[str, Json]], mends: list[str]) -> dict[str, Json]:
    """The pairs as an object; a key that comes twice must come with the same value."""
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            if found[key] != value:
                raise Unsure(key)
            mends.append("duplicate_key")
        found[key] = value
    return found


def write(value: Json) -> str:
    """The value as JSON text."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not has_utf8(value))
    if isinstance(value, Number):
        return value.digits
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write(key)}: {write(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else "true" if value else "false"


def has_utf8(text: str) -> bool:
    """False for a text with a lone surrogate, which only JSON's own escape can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
