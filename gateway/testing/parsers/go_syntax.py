"""Syntax errors in the words of Go's encoding/json and encoding/xml, which Ollama's parsers pass on to the client."""

from __future__ import annotations

import json
import re

from gateway.testing.generations import ApiError

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_GO_JSON = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
}


class ParserError(ApiError):
    """A call that is there but can't be read: Ollama then fails the whole request."""

    def __init__(self, text: str) -> None:
        super().__init__(500, text)


def go_object(text: str) -> dict[str, object]:
    """A JSON object as Go's encoding/json reads it; ParserError with Go's words where it is none."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        at = text[error.pos : error.pos + 1]
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise ParserError("unexpected end of JSON input") from None
        named = at.encode("unicode_escape").decode()
        raise ParserError(f"invalid character '{named}' {_GO_JSON.get(error.msg, error.msg)}") from None
    if not isinstance(value, dict):
        raise ParserError("json: cannot unmarshal array into Go value of type map[string]interface {}")
    return value


class Elements:
    """A walk over the tags of an XML text, with the errors of Go's encoding/xml. `path` is what is open."""

    def __init__(self, text: str, *, root: str = "") -> None:
        self._text = text
        self._open: list[str] = [root] if root else []

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self._open)

    def text(self, begin: int, end: int) -> str:
        if bad := _CONTROL.search(self._text, begin, end):
            raise self._error(bad.start(), f"illegal character code U+{ord(bad[0]):04X}")
        return self._text[begin:end]

    def enter(self, name: str) -> None:
        self._open.append(name)

    def leave(self, name: str, at: int) -> None:
        if not self._open:
            raise self._error(at, f"unexpected end element </{name}>")
        if self._open[-1] != name:
            raise self._error(at, f"element <{self._open[-1]}> closed by </{name}>")
        self._open.pop()

    def cut(self) -> ParserError:
        return self._error(len(self._text), "unexpected EOF")

    def _error(self, at: int, what: str) -> ParserError:
        return ParserError(f"XML syntax error on line {1 + self._text.count(chr(10), 0, at)}: {what}")
