"""Text that arrives in pieces, read from left to right. Law: no character is looked at more than a bounded number of times.

A reader is written as a plain sequence of steps (a generator) that asks the scanner for what comes next; where the text
does not reach that far yet the steps wait, and go on when the next piece has come. While a long value is read, pieces
without the first character of its end are only put aside. `Ended` tells the steps that no more will come; it never
leaves this package.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import NamedTuple, TypeAlias, TypeVar

from gateway.core.dialects.tokens import NO_SIGN, QUOTE_SIGNS, TELLING, Sign, Tokens, closing, tokens

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]

MOST_BLANKS = 2_000  # that a look ahead crosses; more of them are no layout
MOST_NAME = 200  # characters of a name or of the inside of a tag

_BLANKS = re.compile(r"\s*")
_VISIBLE = re.compile(r"\S")
_BRACKETS = ('"', "'", "{", "}", "[", "]")


class Ended(Exception):
    """The text is over, and the steps wanted more of it."""


class Look(NamedTuple):
    """What stands ahead: the token found ("" for other text) and where it ends, counted from the cursor.

    `rest` is set where the text ended before it was decided, to what there was of it.
    """

    found: str
    end: int
    rest: str | None = None


class Scanner:
    """The text so far and a cursor in it. Offsets count characters of all the text that was fed."""

    __slots__ = (
        "_base",
        "_edge",
        "_held",
        "_kept",
        "_last",
        "_later",
        "_prior",
        "_sign",
        "at",
        "cut",
        "ended",
        "looked",
        "text",
    )

    def __init__(self) -> None:
        self.text = ""  # the window: what the steps may still want to see
        self.at = 0  # the cursor in it
        self.ended = False
        self.cut = False
        self.looked = 0  # characters of all windows: the measure of work
        self._base = 0  # the offset of the window
        self._later: list[str] = []  # pieces that have not entered the window yet
        self._sign = NO_SIGN
        self._edge = ""  # the end of the text so far, with which the next piece is tested
        self._kept: list[str] = []  # text that left the window while it was held
        self._held: int | None = None  # where the held text begins in the window
        self._last = ""  # the character before the window
        self._prior = ""  # the one before the held text

    def feed(self, piece: str) -> bool:
        """Take a piece; True: the steps that wait should go on now."""
        self._later.append(piece)
        needle, pattern, escape = self._sign
        if self._edge:
            piece = self._edge + piece
        elif needle not in piece and (not escape or piece[-1:] != escape):
            return False
        if pattern.search(piece):
            return True
        begun = len(piece.rstrip(escape)) if escape else piece.find(needle, 1 - TELLING)
        self._edge = piece[begun:] if begun >= 0 else ""
        return False

    def end(self, *, cut: bool) -> None:
        """No more will come; `cut`: the text was not ended by the model itself."""
        self.ended, self.cut = True, cut

    @property
    def offset(self) -> int:
        return self._base + self.at

    def before(self, size: int = 0) -> str:
        """The character before the last `size` ones."""
        at = self.at - size - 1
        return self.text[at] if at >= 0 else self._last

    def pass_over(self, text: str, size: int) -> None:
        """Take more text at once: `text` is all that stands behind the cursor then, which moves `size` characters on.

        Only where the steps wait for any text, and hold none.
        """
        if not size:
            self._last = self.before()
        self._base += self.at
        self.looked += len(text)
        self.text, self.at = text, size

    def hold(self) -> None:
        """From here on keep the text, so that it can be had again."""
        self._kept, self._held, self._prior = [], self.at, self.before()

    def release(self) -> None:
        self._kept, self._held = [], None

    def since(self, offset: int) -> str:
        """The text from a held offset to the cursor."""
        if offset >= self._base:
            return self.text[offset - self._base : self.at]
        kept, base = self._kept_from(offset)
        return ("".join(kept) + self.text[: self.at])[offset - base :]

    def _kept_from(self, offset: int) -> tuple[list[str], int]:
        """The kept pieces from the one on in which an offset lies, and where that begins."""
        first, base = len(self._kept), self._base
        while base > offset:
            first -= 1
            base -= len(self._kept[first])
        return self._kept[first:], base

    def unread(self, offset: int) -> str:
        """All text from a held offset on, whether the steps have come to it or not."""
        return self.since(offset) + self.text[self.at :] + "".join(self._later)

    def rewind(self, offset: int) -> None:
        """Back to a held offset."""
        if offset < self._base:
            kept, self._base = self._kept_from(offset)
            del self._kept[-len(kept) :]
            self._last = next((piece[-1] for piece in reversed(self._kept) if piece), self._prior)
            self.text = "".join(kept) + self.text
            self.looked += len(self.text)
            self._held = 0
        self.at = offset - self._base

    def take(self, wanted: Tokens) -> tuple[str, str]:
        """What is certainly before the next token, moved over, and that token, before which the cursor stops ("": none yet)."""
        end, mark = wanted.first(self.text, self.at, ended=self.ended)
        before = self.text[self.at : end]
        self.at = end
        return before, mark

    # ---- the steps: each may wait for more text, or raise `Ended`

    def more(self, sign: Sign = NO_SIGN) -> Steps[None]:
        """Wait for text; pieces without the sign need not wake the steps."""
        if self.ended:
            raise Ended
        self._sign = sign
        self._edge = self.text[self.at :]
        yield
        if self._held is not None:
            self._kept.append(self.text[self._held : self.at])
            self._held = 0
        self._last = self.before()
        self._base += self.at
        self.text = self.text[self.at :] + "".join(self._later)
        self.looked += len(self.text)
        self._later.clear()
        self.at = 0

    def blanks(self) -> Steps[None]:
        """Over blanks and line ends, to the next visible character."""
        while True:
            visible = _VISIBLE.search(self.text, self.at)
            if visible:
                self.at = visible.start()
                return
            self.at = len(self.text)
            yield from self.more()

    def token(self, wanted: Tokens) -> Steps[str]:
        """The token at the cursor, which moves over it; "" where there is none."""
        while True:
            found = wanted.pattern.match(self.text, self.at)
            if found and wanted.settled(found, ended=self.ended):
                self.at = found.end()
                return found.group()
            if not found and not wanted.may_begin(self.text, self.at):
                return ""
            yield from self.more()

    def look(self, wanted: Tokens, start: int = 0) -> Steps[Look]:
        """The token that stands `start` characters after the cursor, blanks apart. The cursor stays."""
        while True:
            blanks = _BLANKS.match(self.text, self.at + start)
            at = blanks.end() if blanks else self.at + start
            found = wanted.pattern.match(self.text, at)
            if found and wanted.settled(found, ended=self.ended):
                return Look(found.group(), found.end() - self.at)
            if (not found and not wanted.may_begin(self.text, at)) or at - self.at - start > MOST_BLANKS:
                return Look("", at - self.at)
            if self.ended:
                return Look("", at - self.at, self.text[at:])
            yield from self.more()

    def ahead(self, start: int, most: int) -> Steps[str]:
        """The text from `start` characters after the cursor on, `most` of it, less at the end. The cursor stays."""
        while len(self.text) - self.at < start + most and not self.ended:
            yield from self.more()
        return self.text[self.at + start : self.at + start + most]

    def short(self, stops: Tokens, most: int = MOST_NAME) -> Steps[tuple[str, str] | None]:
        """The short text up to a stop, and that stop, which is moved over; None where it is not short."""
        while True:
            found = stops.pattern.search(self.text, self.at, self.at + most)
            if found and stops.settled(found, ended=self.ended):
                before = self.text[self.at : found.start()]
                self.at = found.end()
                return before, found.group()
            if len(self.text) - self.at > most:
                return None
            yield from self.more()

    def find(self, wanted: Tokens) -> Steps[str]:
        """To the next token, however far, and over it."""
        while True:
            self.at, mark = wanted.first(self.text, self.at, ended=self.ended)
            if mark:
                self.at += len(mark)
                return mark
            yield from self.more(wanted.sign)

    def string(self, quote: str) -> Steps[None]:
        """From inside a string with backslash escapes to behind its closing quote."""
        while (end := closing(quote, self.text, self.at)) < 0:
            inside = self.text[self.at :]
            escapes = len(inside) - len(inside.rstrip("\\"))
            self.at = len(self.text) - escapes % 2  # the last one may go on
            yield from self.more(QUOTE_SIGNS[quote])
        self.at = end + 1

    def document(self, opening: str, closers: tuple[str, ...]) -> Steps[bool]:
        """Over a JSON object or string that begins with `opening`; False: as for `brackets`."""
        if opening in ("{", "["):
            return (yield from self.brackets(closers))
        self.at += 1
        yield from self.string(opening)
        return True

    def brackets(self, closers: tuple[str, ...] = ()) -> Steps[bool]:
        """Over a JSON array or object, from its opening bracket; False: what closes something around it stands inside."""
        wanted = tokens(*_BRACKETS, *closers)
        depth = lists = 0
        while True:
            mark = yield from self.find(wanted)
            if mark in ('"', "'"):
                yield from self.string(mark)
            elif mark in closers or (mark == "]" and not lists):
                self.at -= len(mark)
                return False
            else:
                depth += 1 if mark in ("{", "[") else -1
                lists += (mark == "[") - (mark == "]")
                if not depth:
                    return True
