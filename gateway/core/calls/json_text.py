"""JSON as models write it. Law: no digit of a number is lost, and every liberty that was taken has a name.

Strict JSON is read by the standard library. What it refuses is read once more by rules under which the meaning is
certain: raw control characters in strings, escapes that JSON does not know, Python literals, a trailing comma.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

MOST_DEPTH = 200  # of nested arrays and objects; deeper ones are refused, so that nobody runs out of stack

_BLANKS = re.compile(r"[ \t\r\n]*")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\\\x00-\x1f]+")}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"\w+")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS: dict[str, tuple[bool | None, bool]] = {
    "true": (True, False),
    "false": (False, False),
    "null": (None, False),
    "True": (True, True),
    "False": (False, True),
    "None": (None, True),
}
_DRIVE = re.compile(r"\b[A-Za-z]:\\")


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


class _Unsure(Exception):
    """Inside this file only: the text has no certain meaning."""


def read(text: str) -> Document | None:
    """The one value that the text holds; None where its meaning is not certain."""
    mends = [] if _has_utf8(text) else ["lone_surrogate"]
    try:
        value = _strict(text, mends)
        return None if _too_deep(value) else Document(value, tuple(mends))
    except ValueError:
        pass
    except (_Unsure, RecursionError):
        return None
    try:
        return _Lenient(text).document()
    except _Unsure:
        return None


def write(value: Json) -> str:
    """The value as JSON text, numbers in their own digits; the inverse of `read`."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not _has_utf8(value))
    if isinstance(value, Number):
        return value.digits
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write(key)}: {write(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else "true" if value else "false"


def _strict(text: str, mends: list[str]) -> Json:
    value: Json = json.loads(
        text,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_no_constant,
        object_pairs_hook=lambda pairs: _once(pairs, mends),
    )
    return value


def _no_constant(name: str) -> Json:
    raise _Unsure(name)  # NaN and Infinity are no JSON, and no other value is meant


def _once(pairs: list[tuple[str, Json]], mends: list[str]) -> dict[str, Json]:
    """The pairs as an object; a key that comes twice must come with the same value."""
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            if found[key] != value:
                raise _Unsure(key)
            mends.append("duplicate_key")
        found[key] = value
    return found


def _has_utf8(text: str) -> bool:
    """False for a text with a lone surrogate, which only JSON's own escape can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [item for outer in level for item in _items(outer) if isinstance(item, list | dict)]
        if not level:
            return False
    return True


def _items(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


class _Lenient:
    """A reader of one value by the wider rules; raises `_Unsure` wherever more than one meaning is possible."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._mends: dict[str, None] = {}

    def document(self) -> Document:
        value = self._value()
        if self._next():
            raise _Unsure
        return Document(value, tuple(self._mends))

    def _next(self) -> str:
        """The next character that is no blank, "" at the end."""
        blanks = _BLANKS.match(self._text, self._at)
        self._at = blanks.end() if blanks else self._at
        return self._text[self._at : self._at + 1]

    def _value(self) -> Json:
        mark = self._next()
        if mark and mark in "{[":
            self._depth += 1
            if self._depth > MOST_DEPTH:
                raise _Unsure
            value: Json = self._object() if mark == "{" else self._array()
            self._depth -= 1
            return value
        if mark and mark in "\"'":
            return self._string(mark)
        number = _NUMBER.match(self._text, self._at)
        if number:
            self._at = number.end()
            return Number(number.group())
        return self._word()

    def _word(self) -> Json:
        word = _WORD.match(self._text, self._at)
        if not word or word.group() not in _WORDS:
            raise _Unsure
        self._at = word.end()
        value, python = _WORDS[word.group()]
        if python:
            self._mends["python_literal"] = None
        return value

    def _array(self) -> list[Json]:
        items: list[Json] = []
        self._at += 1
        while self._next() != "]":
            items.append(self._value())
            self._comma("]", some=bool(items))
        self._at += 1
        return items

    def _object(self) -> dict[str, Json]:
        pairs: list[tuple[str, Json]] = []
        self._at += 1
        while (mark := self._next()) != "}":
            if not mark or mark not in "\"'":
                raise _Unsure
            key = self._string(mark)
            if self._next() != ":":
                raise _Unsure
            self._at += 1
            pairs.append((key, self._value()))
            self._comma("}", some=True)
        self._at += 1
        repeated: list[str] = []
        found = _once(pairs, repeated)
        self._mends.update(dict.fromkeys(repeated))
        return found

    def _comma(self, end: str, *, some: bool) -> None:
        """Over the comma that must stand between two items; one before the end is put up with."""
        mark = self._next()
        if mark == end:
            return
        if mark != "," or not some:
            raise _Unsure
        self._at += 1
        if self._next() == end:
            self._mends["trailing_comma"] = None

    def _string(self, quote: str) -> str:
        if quote == "'":
            self._mends["python_literal"] = None
        start = self._at
        self._at += 1
        parts: list[str] = []
        odd: list[int] = []  # where escapes stand that JSON does not know
        known = False  # whether letters such as \n were read as escapes
        while (mark := self._text[self._at : self._at + 1]) != quote:
            if mark == "":
                raise _Unsure
            if mark == "\\":
                piece, fits = self._escape()
                known = known or (fits and piece in "\n\t\r\b\f")
                if not fits:
                    odd.append(self._at)
            elif plain := _PLAIN[quote].match(self._text, self._at):
                piece = plain.group()
                self._at = plain.end()
            else:
                piece = mark
                self._mends["raw_newline"] = None
                self._at += 1
            parts.append(piece)
        self._at += 1
        if odd:
            self._allow(self._text[start : self._at], start, odd, known=known)
        return "".join(parts)

    def _escape(self) -> tuple[str, bool]:
        """What an escape stands for, and whether JSON knows it; an unknown one stands for itself, backslash and all."""
        mark = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if mark in _ESCAPES:
            return _ESCAPES[mark], True
        if mark in '"\\/' and mark:
            return mark, True
        if mark == "u" and _HEX.match(self._text, self._at):
            self._at += 4
            return self._joined(chr(int(self._text[self._at - 4 : self._at], 16))), True
        if mark == "'":
            self._mends["bad_escape"] = None
            return mark, True
        return "\\" + mark, False

    def _joined(self, unit: str) -> str:
        """A surrogate and the escape that completes it are one character."""
        low = self._text[self._at : self._at + 6]
        if "\ud800" <= unit <= "\udbff" and low[:2] == "\\u" and _HEX.match(low, 2):
            second = int(low[2:], 16)
            if 0xDC00 <= second <= 0xDFFF:
                self._at += 6
                return chr(0x10000 + ((ord(unit) - 0xD800) << 10) + (second - 0xDC00))
        return unit

    def _allow(self, string: str, start: int, odd: list[int], *, known: bool) -> None:
        """Unknown escapes are literal. Beside known ones only where they are plainly of a pattern (`\\d+`, `\\(`):
        in `C:\\Users\\new` the last two might be a line break as well as a folder."""
        self._mends["bad_escape"] = None
        if not known:
            return
        if _DRIVE.search(string):
            raise _Unsure
        for at in odd:
            mark, after = string[at - start - 1], string[at - start]
            if mark.isalnum() and (mark not in "dwsDWS" or after.isalnum()):
                raise _Unsure
