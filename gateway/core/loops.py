"""Notices a text that goes round: the same stretch again and again, up to its very end. Law: looking costs the same however long it is."""

from __future__ import annotations

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
        kept = max(2 * self._bounds.period, self._bounds.characters)
        self._recent = (self._recent + "".join(self._new))[-kept - _STEP :]
        self._new, self._size = [], 0
        return goes_round(self._recent, self._bounds)


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
