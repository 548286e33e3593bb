"""Literal markers, and how to find them in text of which only the beginning may be there yet."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

TELLING = 4  # characters of a marker that are rarely anything else


class Sign(NamedTuple):
    """What a piece must hold to be worth waking the steps for: the needle, then the pattern. A quick test for long values.

    The end of a piece counts with the next one: from a needle in its last characters on, or, where `escape` is given, as
    many of these as stand there.
    """

    needle: str
    pattern: re.Pattern[str]
    escape: str = ""


NO_SIGN = Sign("", re.compile(""))  # every piece is
QUOTE_SIGNS = {  # one that is not escaped, as far as two backslashes before it tell
    mark: Sign(mark, re.compile(rf"{mark}(?:(?<!\\{mark})|(?<=\\\\{mark}))"), "\\") for mark in "\"'"
}


def closing(quote: str, text: str, start: int) -> int:
    """Where the closing quote of a string with backslash escapes stands, its inside from `start` on; -1: it does not end."""
    at = start
    while found := QUOTE_SIGNS[quote].pattern.search(text, at):
        at = begun = found.start()
        while begun > start and text[begun - 1] == "\\":
            begun -= 1
        if (at - begun) % 2 == 0:
            return at
        at += 1
    return -1


def _beginnings(literals: list[str]) -> re.Pattern[str]:
    """The first characters of markers, enough to tell them from most other text."""
    return re.compile("|".join(re.escape(each) for each in sorted({literal[:TELLING] for literal in literals})))


class Tokens:
    """Literal markers to look for. The longest wins where several begin alike."""

    __slots__ = ("_firsts", "_longest", "_prefixes", "_shorter", "literals", "pattern", "sign")

    def __init__(self, literals: tuple[str, ...]) -> None:
        ordered = sorted(set(literals), key=len, reverse=True)
        firsts = {literal[0] for literal in ordered}
        self.literals = tuple(ordered)
        self.pattern = re.compile("|".join(map(re.escape, ordered)) or r"(?!)")
        self._firsts = re.compile("|".join(map(re.escape, sorted(firsts))) or r"(?!)")
        self._longest = len(ordered[0]) if ordered else 0
        self._prefixes = frozenset(literal[:size] for literal in ordered for size in range(len(literal)))
        self._shorter = self._prefixes.intersection(ordered)
        self.sign = Sign(min(firsts), _beginnings(ordered)) if len(firsts) == 1 else NO_SIGN

    def first(self, text: str, at: int, *, ended: bool) -> tuple[int, str]:
        """Where the text ends that is certainly before any token, and the token that stands there ("": none yet)."""
        found = self.pattern.search(text, at)
        if found and found.start() < len(text) - self._longest:
            return found.start(), found.group()
        held = len(text) - self._begun(text, at)
        if found and (found.start() < held or (ended and (found.start() > held or found.end() == len(text)))):
            return found.start(), found.group()
        return held, ""

    def settled(self, found: re.Match[str], *, ended: bool) -> bool:
        """Whether more text cannot make a longer token of the one that was found; at the end, whether it would have."""
        if found.group() not in self._shorter or found.string[found.start() :] not in self._prefixes:
            return True
        return ended and found.end() == len(found.string)

    def _begun(self, text: str, start: int) -> int:
        """How many characters at the end of the text may be the beginning of a token."""
        for first in self._firsts.finditer(text, max(start, len(text) - self._longest + 1)):
            if text[first.start() :] in self._prefixes:
                return len(text) - first.start()
        return 0

    def may_begin(self, text: str, at: int) -> bool:
        """Whether the text from `at` to its end is nothing, or the beginning of a token."""
        return text[at : at + self._longest] in self._prefixes


@lru_cache(maxsize=1024)
def tokens(*literals: str) -> Tokens:
    return Tokens(literals)
