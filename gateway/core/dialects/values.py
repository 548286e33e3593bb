"""Where a raw value ends. Law: a value ends where the call goes on as its template writes it.

Raw means that nothing is escaped: the text may hold the very marker that ends it. So a closer counts only if what follows
continues the call, and if it does not close an example of a call inside the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.dialects.fields import Fields
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Look, Steps
from gateway.core.dialects.tokens import tokens

_NAME = re.compile(r"[\w.\-]+(?: [\w.\-]+)*")
_CLOSING_TAG = re.compile(r"</[\w:.\-]+>\s*\Z")
_MOST_TAG = 64
_MOST_CLOSER = 64
_MOST_DAMAGED = 24  # characters that tell the opener of an argument, whatever is wrong with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How a raw value may end: by the `closers` of the argument, where one of these follows.

    `next`: openers of a further argument, its key up to `key_end` ("": the opener is whole), as `key_of` reads it.
    `also`, `unknown`: what else may follow. `inner`: what opens an example inside, if not `next`.
    `over`: closers of the call; `group`: those of a group of calls; `again`: openers of a further call or group.
    `strict`: behind the closer of the call must come one of the last two.
    `lenient`: where the value's own closer is missing, an opener of a further argument (`line`: at the beginning of a line)
    or a closer of the call ends it.
    `newline`: as in `Fields.arguments`.
    """

    closers: tuple[str, ...]
    next: tuple[str, ...]
    over: tuple[str, ...]
    group: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unknown: re.Pattern[str] | None = None
    key_end: str = ">"
    key_of: Callable[[str], str] = str.strip
    line: bool = True
    newline: bool = False
    strict: bool = False
    lenient: bool = True


class _Value:
    """A value under way: how many examples are open inside it, and where it might have ended."""

    def __init__(self, reading: Reading, ends: Ends, fields: Fields, key: str) -> None:
        self.reading, self.scanner, self.ends, self.fields, self.key = reading, reading.scanner, ends, fields, key
        self.start = self.scanner.offset
        # A closer that seemed to belong to the text: where, behind it, and whether it was that of an example.
        self.fallback: tuple[int, int, bool] | None = None
        self._first: str | None = None  # its first character, once a closer has come
        self.depth = 0
        self.closers = 0  # how many closers it holds
        self.passed: int | None = None  # behind the last closer, if it closed nothing
        self.doubled = False  # it begins with the opener of its own argument
        self.rival = False  # an example inside names an argument of this very tool that is still to come

    def closed(self, closer: str) -> Steps[bool]:
        """An argument's closer: of this value, if the call goes on behind it and no example inside is open."""
        self.closers += 1
        end = self.scanner.offset
        adjoining = self.passed is not None and not self.scanner.since(self.passed)[: -len(closer)].strip()
        doubled = adjoining and not self._holds_tags()
        in_place = not self._on_lines() or self.scanner.before(len(closer)) == "\n"
        likely, certain = yield from self._goes_on(in_place=in_place)
        if certain and not self.depth:
            self.fields.unclear |= doubled  # the closer before this one may be too many as well as literal
            return True
        self.passed = end if in_place and not self.depth else None
        if likely and not self.fallback:
            self.fallback = end - len(closer), end, self.depth > 0
        self.depth = max(0, self.depth - 1)
        return False

    def _holds_tags(self) -> bool:
        """Whether the value holds tags that are called as an argument's, so that their closers are its own, too."""
        text = self.scanner.since(self.start)
        return any(closer.replace("</", "<").rstrip(">") in text for closer in self.ends.closers)

    def _on_lines(self) -> bool:
        """Whether the value begins on a line of its own, so that its closer should stand on one too."""
        if self._first is None:
            self._first = self.scanner.since(self.start)[:1]
        return self.ends.newline and self._first in ("\n", "\r")

    def _goes_on(self, *, in_place: bool) -> Steps[tuple[bool, bool]]:
        """Whether what follows looks like more of the call, and whether it still does behind the call's closer.

        A closer that is out of place takes more: neither the end of the text nor a new call proves it.
        """
        ends = self.ends
        again = ends.again if in_place else ()
        look = yield from self.scanner.look(tokens(*ends.next, *ends.also, *ends.over, *ends.group, *again))
        if look.rest is None and ends.strict and look.found in ends.over:
            further = yield from self.scanner.look(tokens("</", *ends.group, *ends.again), look.end)
            return True, further.rest is not None or bool(further.found)
        if look.found in ends.next and (yield from self._repeats(look)):
            return False, False
        goes_on = bool(look.found) or (in_place and look.rest is not None)
        if not goes_on and ends.unknown:
            goes_on = bool(ends.unknown.match((yield from self.scanner.ahead(look.end, _MOST_TAG))))
        if not goes_on and in_place and ends.key_end and not self.depth:
            ahead = yield from self.scanner.ahead(look.end, _MOST_DAMAGED)
            other = any(ahead.startswith(opener.rstrip("= >") + end) for opener in ends.next for end in " >")
            self.fields.unclear |= ahead.startswith("<") and not other and _alike(ahead, ends.next, 6)
        return goes_on, goes_on

    def _repeats(self, look: Look) -> Steps[bool]:
        """Whether the opener ahead is of an argument that the call has already, so that it belongs to the text."""
        key = look.found[1:-1]
        if self.ends.key_end:
            inside = yield from self.scanner.ahead(look.end, _MOST_TAG)
            key = self.ends.key_of(inside.partition(self.ends.key_end)[0])
        return key == self.key or key in self.fields.keys

    def opened(self, opener: str) -> Steps[bool]:
        """An argument's opener inside: of an example, or of the next argument, where this one's closer is missing."""
        before = self.scanner.offset - len(opener)
        in_place = not self.ends.line or self.scanner.before(len(opener)) == "\n"
        key = yield from self._key(opener)
        if not key:
            return False
        if (key == self.key or opener in self.ends.inner) and not self.scanner.since(self.start)[
            : before - self.start
        ].strip():
            self.doubled = True
        if self.ends.lenient and key != self.key and self.fields.awaits(key):
            clear = in_place and not (self.depth or self.closers or self.rival)
            if clear and not _CLOSING_TAG.search(self.scanner.since(self.start)[: before - self.start]):
                return self._unclosed(before)
            self.rival = True  # or the value was closed by a wrong tag (claude-code#44826)
        self.depth += 1
        return False

    def _key(self, opener: str) -> Steps[str]:
        if not self.ends.key_end:
            return opener
        found = yield from self.scanner.short(tokens(self.ends.key_end, "\n", "<"))
        if found is None:
            return ""
        inside, stop = found
        if stop != self.ends.key_end:
            self.scanner.at -= 1
            return ""
        key = self.ends.key_of(inside)
        return key if _NAME.fullmatch(key) else ""

    def over(self, mark: str) -> Steps[bool]:
        """The call's closer inside: the end of the value too, if it lacks its own and another call or the end follows."""
        if self.depth or self.closers or not self.ends.lenient:
            return False
        before = self.scanner.offset - len(mark)
        look = yield from self.scanner.look(tokens(*self.ends.group, *self.ends.again))
        return (bool(look.found) or (look.rest == "" and not self.scanner.cut)) and self._unclosed(before)

    def _unclosed(self, end: int) -> bool:
        """The value ends without a closer; if what it ends with may be one that is damaged, that cannot be told."""
        tail = self.scanner.since(self.start)[: end - self.start][-_MOST_CLOSER:].rstrip()
        tag = "".join(tail[tail.rfind("<") :].split()) if "<" in tail else " "
        self.fields.unclear |= _alike(tag, self.ends.closers, 3)
        return True

    def strained(self) -> tuple[int, int] | None:
        """After the model's own end: where the value may have ended after all, with the cursor set behind."""
        if self.scanner.cut or not self.fallback or self.rival or self.doubled or not self.reading.may_reread():
            return None
        end, behind, self.fields.strained = self.fallback
        self.scanner.rewind(behind)
        return self.start, end


def _alike(tag: str, marks: tuple[str, ...], size: int) -> bool:
    """Whether a tag may be one of the marks, damaged: of its first characters at least `size` are right."""
    folded, known = tag.casefold(), [mark.casefold() for mark in marks]
    return any(mark.startswith(folded) or folded.startswith(mark[:size]) for mark in known)


def read_value(reading: Reading, ends: Ends, fields: Fields, key: str) -> Steps[tuple[int, int]]:
    """From the cursor to the value's end and over its closer, if it has one: the offsets of its raw text."""
    scanner = reading.scanner
    value = _Value(reading, ends, fields, key)
    openers = ends.inner or ends.next
    wanted = tokens(*ends.closers, *openers, *ends.over, *ends.group)
    try:
        while True:
            mark = yield from scanner.find(wanted)
            end = scanner.offset - len(mark)
            line_end = end > value.start and scanner.before(len(mark)) == "\n" and not ends.newline
            if mark in ends.closers:
                if (yield from value.closed(mark)):
                    return value.start, end
            elif (yield from value.opened(mark) if mark in openers else value.over(mark)):
                fields.mends.append("missing_argument_closer")
                scanner.rewind(end)
                return value.start, end - line_end
    except Ended:
        strained = value.strained()
        if strained is None:
            raise
        return strained
