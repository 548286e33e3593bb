"""Reading a JSON object field by field: each is taken by name and type, errors name the path, what is left over is `rest`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeGuard

from gateway.core import jsontext
from gateway.core.errors import BadRequest, Code

_LARGEST = 2**63 - 1  # what Ollama, vLLM and llama.cpp can hold
_OBJECTS = (dict, Mapping)  # dict first: asking an abstract class is slow


class Fields:
    """One JSON object being read. A field that is null counts as absent; a field of the wrong type is a BadRequest."""

    __slots__ = ("at", "repaired", "rest")

    def __init__(self, value: Mapping[str, object], at: str = "", *, repaired: bool = False) -> None:
        self.rest = dict(value)
        self.at = at
        self.repaired = repaired  # something in the body was no text and became U+FFFD

    def path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key

    def take(self, key: str) -> object:
        return self.rest.pop(key, None)

    def text(self, key: str, default: str = "") -> str:
        value = self.rest.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(key, "a string", value)
        return value

    def integer(self, key: str) -> int | None:
        value = self.rest.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise self.wrong(key, "an integer", value)
        if not -_LARGEST <= value <= _LARGEST or value != int(value):
            raise self.refused(key, "is no integer of 64 bits; send one")
        return int(value)

    def number(self, key: str) -> float | None:
        value = self.rest.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise self.wrong(key, "a number", value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise self.refused(key, "is larger than any float; send a smaller number")
        return number

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def items(self, key: str) -> list[object]:
        value = self.rest.pop(key, None)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "an array", value)
        return value

    def fields(self, key: str) -> Fields | None:
        value = self.take(key)
        if value is None:
            return None
        if not is_object(value):
            raise self.wrong(key, "an object", value)
        return Fields(value, self.path(key))

    def objects(self, key: str) -> Iterator[Fields]:
        """The fields of each object of an array."""
        path = self.path(key)
        for place, item in enumerate(self.items(key)):
            yield item_fields(item, f"{path}[{place}]")

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or an array of strings."""
        value = self.take(key)
        if value is None:
            return ()
        several = value if isinstance(value, list) else [value]
        texts = tuple(item for item in several if isinstance(item, str))
        if len(texts) < len(several):
            raise self.wrong(key, "a string or an array of strings", value)
        return texts

    def wrong(self, key: str, wanted: str, value: object) -> BadRequest:
        """The error for a value of the wrong type."""
        return self.refused(key, f"is {kind(value)}; send {wanted}")

    def refused(self, key: str, why: str, code: Code = Code.INVALID_REQUEST) -> BadRequest:
        """The error for a field, `why` going on from its path: "is …; send …"."""
        path = self.path(key)
        return BadRequest(f"`{path}` {why}", param=path, code=code)


def body(data: bytes) -> Fields:
    """The fields of a request body; BadRequest where it is no JSON object."""
    if not data.strip():
        raise BadRequest("the request has no body; send a JSON object")
    try:
        value, repaired = jsontext.read(data)
    except jsontext.NotJson as error:
        raise BadRequest(f"the body is {error}; send one JSON object") from None
    if not is_object(value):
        raise BadRequest(f"the body is {kind(value)}; send one JSON object")
    return Fields(value, repaired=repaired)


def item_fields(value: object, at: str) -> Fields:
    """The fields of an array's item."""
    if not is_object(value):
        raise BadRequest(f"`{at}` is {kind(value)}; send an object", param=at)
    return Fields(value, at)


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, _OBJECTS)


def short(value: str) -> str:
    """A client's own word, quoted back."""
    return repr(value if len(value) <= 40 else f"{value[:40]}…")


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float() | Decimal():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
