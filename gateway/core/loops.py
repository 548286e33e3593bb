"""Notices a text that goes round: the same stretch again and again up to its very end, or nothing that was not said before.

Law: looking costs the same however long the text is.
"""

from __future__ import annotations

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

    Circles that are not exact have this in common: the same paragraphs in another order, or with other words between them.
    """

    _WORDS = 8  # how many words in a row count as one saying
    _SPAN = (
        600  # the last words that are looked at: a function written down once more is shorter, or changes on the way
    )
    _OLD = 0.85  # the share of them that must be old: where paragraphs meet in another order, sayings are new
    _TIMES = 3  # how often a saying must have come before, to be old

    def __init__(self) -> None:
        self._said: Counter[int] = Counter()
        self._words: deque[str] = deque(maxlen=self._WORDS)
        self._recent: deque[bool] = deque(maxlen=self._SPAN)
        self._old = 0
        self._new: list[str] = []
        self._size = 0

    def feed(self, piece: str) -> bool:
        self._new.append(piece)
        self._size += len(piece)
        return self._size >= _STEP and self._look()

    def _look(self) -> bool:
        text = "".join(self._new)
        *words, rest = text.split(" ")
        self._new, self._size = [rest], len(rest)
        for word in words:
            self._hear(word)
        return len(self._recent) == self._SPAN and self._old >= self._OLD * self._SPAN

    def _hear(self, word: str) -> None:
        self._words.append(word)
        saying = hash(tuple(self._words))
        old = self._said[saying] >= self._TIMES
        self._said[saying] += 1
        if len(self._recent) == self._SPAN:
            self._old -= self._recent[0]
        self._recent.append(old)
        self._old += old


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
        return any((self._circles.feed(piece), self._stale.feed(piece), long))


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
