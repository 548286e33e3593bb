"""JSON with the mistakes that models make, read by rules under which the meaning is certain. Law: each rule has a name.

`raw_newline`: control characters stand raw in a string. `bad_escape`: an escape that JSON does not know. `python_literal`:
single quotes, True, False, None. `trailing_comma`. `duplicate_key`: twice with the same value.
"""

from __future__ import annotations

import re

from gateway.core.calls.json_value import MOST_DEPTH, Document, Json, Number, Unsure, once

_BLANKS = re.compile(r"[ \t\r\n]*")
_PLAIN = {quote: re.compile(rf"[^{quote}\\\x00-\x1f]+") for quote in "\"'"}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"\w+")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "false": False, "null": None}
_PYTHON_WORDS = {"True": True, "False": False, "None": None}
_DRIVE = re.compile(r"\b[A-Za-z]:\\")


def read_leniently(text: str) -> Document | None:
    """The one value that the text holds; None where more than one meaning is possible."""
    try:
        return _Reader(text).document()
    except Unsure:
        return None


class _Reader:
    """Reads one value; raises `Unsure` wherever more than one meaning is possible."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._mends: dict[str, None] = {}

    def document(self) -> Document:
        value = self._value()
        if self._next():
            raise Unsure
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
                raise Unsure
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
        if not word or word.group() not in _WORDS | _PYTHON_WORDS:
            raise Unsure
        self._at = word.end()
        if word.group() in _WORDS:
            return _WORDS[word.group()]
        self._mends["python_literal"] = None
        return _PYTHON_WORDS[word.group()]

    def _array(self) -> list[Json]:
        items: list[Json] = []
        self._at += 1
        while self._next() != "]":
            items.append(self._value())
            self._comma("]")
        self._at += 1
        return items

    def _object(self) -> dict[str, Json]:
        pairs: list[tuple[str, Json]] = []
        self._at += 1
        while (mark := self._next()) != "}":
            if not mark or mark not in "\"'":
                raise Unsure
            key = self._string(mark)
            if self._next() != ":":
                raise Unsure
            self._at += 1
            pairs.append((key, self._value()))
            self._comma("}")
        self._at += 1
        repeated: list[str] = []
        found = once(pairs, repeated)
        self._mends.update(dict.fromkeys(repeated))
        return found

    def _comma(self, end: str) -> None:
        """Over the comma that must stand between two items; one before the end is put up with."""
        mark = self._next()
        if mark == end:
            return
        if mark != ",":
            raise Unsure
        self._at += 1
        if self._next() == end:
            self._mends["trailing_comma"] = None

    def _string(self, quote: str) -> str:
        if quote == "'":
            self._mends["python_literal"] = None
        start = self._at
        self._at += 1
        parts: list[str] = []
        odd: list[int] = []  # behind which escapes that JSON does not know
        known = False  # whether there were also such as \n
        while (mark := self._text[self._at : self._at + 1]) != quote:
            if mark == "":
                raise Unsure
            if mark == "\\":
                piece, fits = self._escape(quote)
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

    def _escape(self, quote: str) -> tuple[str, bool]:
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
            self._mends["python_literal" if quote == "'" else "bad_escape"] = None
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
        """Unknown escapes are literal; beside known ones only where they are plainly of a pattern, as in `\\d+` or `\\(`.

        In `C:\\Users\\new` the last escape may be a line break as well as a folder.
        """
        self._mends["bad_escape"] = None
        if not known:
            return
        if _DRIVE.search(string):
            raise Unsure
        for at in odd:
            mark, after = string[at - start - 1], string[at - start]
            if mark.isalnum() and (mark not in "dwsDWS" or after.isalnum()):
                raise Unsure
