"""Notices a text that goes round: the same stretch again and again up to its very end, or nothing that was not said before.

Law: looking costs the same however long the text is.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass

_STEP = 256  # characters between two looks


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts as a circle: so many rounds of at most `period` characters, `characters` of them in all.

    The last `needle` characters must have come before, for a look to go on.
    """

    rounds: int
    characters: int
    period: int = 2000
    needle: int = 32


THOUGHT = Bounds(rounds=6, characters=1500)
TEXT = Bounds(rounds=20, characters=6000)  # data and tables repeat themselves too
GUARDED = Bounds(
    rounds=25, characters=30, period=40, needle=12
)  # Ollama's own guard ends an answer after 30 equal tokens


class Circles:
    """A stage over one text: `feed` tells whether it goes round by now."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._recent = ""
        self._new: list[str] = []
        self._size = 0

    def feed(self, piece: str) -> bool:
        self._new.append(piece)
        self._size += len(piece)
        return self._size >= _STEP and self._look()

    def _look(self) -> bool:
        kept = max(self._bounds.rounds * self._bounds.period, self._bounds.characters)
        self._recent = (self._recent + "".join(self._new))[-kept - _STEP :]
        self._new, self._size = [], 0
        return goes_round(self._recent, self._bounds)


class Stale:
    """A stage over one thought: `feed` tells whether it says nothing any more that it had not said several times before.

    Circles that are not exact have this in common: the same sentences in another order, or with others between them.
    """

    _SPAN = 60  # the last sentences that are looked at
    _OLD = 0.85  # the share of them that must be old
    _TIMES = 3  # how often a sentence must have come before, to be old: a file may be drafted more than once
    _BRIEF = 20  # characters: shorter ones ("Wait.", "}") say nothing
    _ENDS = re.compile(r"[.!?\n]\s+")

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()
        self._recent: deque[bool] = deque(maxlen=self._SPAN)
        self._new: list[str] = []
        self._size = 0

    def feed(self, piece: str) -> bool:
        self._new.append(piece)
        self._size += len(piece)
        return self._size >= _STEP and self._look()

    def _look(self) -> bool:
        *sentences, rest = self._ENDS.split("".join(self._new))
        if len(rest) > _STEP:  # a very long sentence, or none at all
            sentences, rest = [*sentences, rest], ""
        self._new, self._size = [rest], 0
        for sentence in sentences:
            if len(sentence) >= self._BRIEF:
                self._recent.append(self._said[sentence] >= self._TIMES)
                self._said[sentence] += 1
        return len(self._recent) == self._SPAN and sum(self._recent) >= self._OLD * self._SPAN


class ThoughtWatch:
    """A stage over the thought of one turn: `feed` tells when it goes round, says nothing new, or is longer than `tokens` (0: any)."""

    def __init__(self, tokens: int) -> None:
        self._most = tokens
        self._pieces, self._size = 0, 0
        self._circles, self._stale = Circles(THOUGHT), Stale()

    def feed(self, piece: str) -> bool:
        self._pieces += 1
        self._size += len(piece)
        long = 0 < self._most < max(self._pieces, self._size // 4)  # a piece is a token, or more of them
        round_ = self._circles.feed(piece)
        return self._stale.feed(piece) or round_ or long


def goes_round(text: str, bounds: Bounds) -> bool:
    """Whether a text ends in a circle."""
    period = _period(text, bounds)
    needed = max(bounds.characters, bounds.rounds * period)
    return bool(period) and len(text) >= needed and text[-needed:-period] == text[period - needed :]


def unwound(text: str) -> str:
    """A text without the rounds that it ends in, but for the first."""
    period = _period(text, THOUGHT)
    end = len(text)
    while period and end >= 2 * period and text[end - period : end] == text[end - 2 * period : end - period]:
        end -= period
    return text[:end]


def _period(text: str, bounds: Bounds) -> int:
    """How far before the end its last characters stood before; 0 where they did not."""
    needle = bounds.needle
    if len(text) <= needle:
        return 0
    at = text.rfind(text[-needle:], max(0, len(text) - bounds.period - needle), len(text) - 1)
    return len(text) - needle - at if at >= 0 else 0
