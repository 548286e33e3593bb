"""What was meant as a call and is none: how it is told from a mention, and how far it reaches. Law: none of it is visible text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.dialects.markers import Candidate, Markers
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens

GARBLED = "there is no call between its markers"
_MOST = 1_000  # characters between the markers of a call that is none
_MOST_WORD = 80  # characters that tell whether a text begins with a tool's name
_WORD = re.compile(r"\n?\[?(?::?call:)?([\w.\-]+)(?![\w.\-])")
_UNMISTAKABLE = re.compile(r"[|｜]|tool_call", re.IGNORECASE)


def refuse_garbled(
    reading: Reading, mark: str, candidates: Sequence[Candidate], control: frozenset[str]
) -> Steps[bool]:
    """Refuse what was meant as a call: its marker begins a line, or is one of the `control` tokens, which stand for nothing
    else, and names a declared tool; or it begins a line and either is soon closed or is one of those. False: the marker is
    only mentioned.
    """
    scanner, behind = reading.scanner, reading.start + len(mark)
    alone = reading.page.new_line
    if not (alone or mark in control):
        return False
    scanner.rewind(behind)
    if not (reading.named or (yield from _begins_with_name(reading, candidates))):
        if not alone or not _UNMISTAKABLE.search(mark):
            return False
        if not (yield from _soon_closed(reading, mark, candidates)):
            if mark not in control:
                return False
            if scanner.ended and scanner.cut:
                return reading.nameless(reading.start)
            scanner.rewind(behind)
    reading.unreadable(reading.start, GARBLED)
    return True


def _begins_with_name(reading: Reading, candidates: Sequence[Candidate]) -> Steps[bool]:
    """Whether a declared tool's name comes first, though not as its dialect has it."""
    if not any(candidate.marked for candidate in candidates):
        return False
    word = _WORD.match((yield from reading.scanner.ahead(0, _MOST_WORD)))
    return word is not None and reading.tool(word[1]) is not None


def _soon_closed(reading: Reading, mark: str, candidates: Sequence[Candidate]) -> Steps[bool]:
    """Whether a closer follows before the next opener; then the cursor stands behind it."""
    closers = [closer for candidate in candidates if candidate.marked for closer in candidate.dialect.closers]
    if not closers:
        return False
    try:
        inside = yield from reading.scanner.short(tokens(*closers, mark), _MOST)
    except Ended:
        return False
    return inside is not None and inside[1] != mark


@dataclass(frozen=True, slots=True)
class Rest:
    """What cannot be read may go on behind `at`, where a call could begin: up to one of `closers`."""

    at: int
    closers: tuple[str, ...]


def closers_of(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(closer for candidate in candidates for closer in candidate.dialect.closers)


def take_rest(reading: Reading, closers: tuple[str, ...], markers: Markers) -> Steps[Rest | None]:
    """What is left of a call that cannot be read goes with it: up to its closer, to what may be a call, or to the end."""
    scanner, start = reading.scanner, reading.torn
    if start is None or scanner.since(start).endswith(closers):
        return None
    try:
        while (mark := (yield from scanner.find(tokens(*closers, *markers.stops)))) not in closers:
            at = scanner.offset - len(mark)
            if (yield from _may_call(reading, markers.candidates[mark])):
                scanner.rewind(at)
                reading.page.quiet = False  # in the middle of something, a mere opener begins nothing
                return Rest(at, closers)
    except Ended:
        scanner.at = len(scanner.text)
        raise
    finally:
        reading.page.over(scanner.since(start))
    return None


def _may_call(reading: Reading, candidates: Sequence[Candidate]) -> Steps[bool]:
    """Whether what follows an opener is what one of the candidates wants."""
    then = {literal for candidate in candidates for literal in candidate.opener.then}
    if not all(candidate.opener.then for candidate in candidates):
        return True
    return bool((yield from reading.scanner.look(tokens(*then))).found)
