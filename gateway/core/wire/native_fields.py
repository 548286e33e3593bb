"""Ollama's own request fields, which its users send to every surface: think, format, options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from gateway.core.conversation import Think
from gateway.core.wire.fields import Fields, is_object

Output: TypeAlias = Literal["json"] | Mapping[str, object] | None


def think_of(fields: Fields) -> Think:
    match fields.take("think"):
        case None:
            return None
        case bool() | str() as switch:
            return switch
        case other:
            raise fields.wrong("think", "true, false or an effort such as high", other)


def format_of(fields: Fields) -> Output:
    match fields.take("format"):
        case None | "":
            return None
        case "json":
            return "json"
        case value if is_object(value):
            return value
        case other:
            raise fields.wrong("format", '"json" or a JSON Schema', other)


def options_of(fields: Fields) -> Fields:
    """The runner options."""
    return fields.fields("options") or Fields({}, "options")
