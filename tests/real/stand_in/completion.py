"""One generation of the stand-in: tokens of the script until its end, a stop string, the limit or the end of the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.real.stand_in.spoken import Spoken

Why = Literal["eos", "word", "limit"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request allows: tokens (below 1: no limit), stop strings, hidden markers that are to be printed."""

    limit: int = -1
    stop: tuple[str, ...] = ()
    preserved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """Text that goes out with one token."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Why it ended, and the counts: tokens made (the closing one included), prompt tokens processed, prompt tokens found in the cache."""

    why: Why
    made: int
    processed: int
    cached: int


@dataclass(slots=True)
class Player:
    """A loaded model with its window (tokens) and the cache of its one slot; Ollama sends one request at a time."""

    spoken: Spoken
    window: int
    shift: bool
    _cache: list[int] = field(default_factory=list)

    def play(self, prompt: list[int], asked: Asked) -> Iterator[Said | Ended]:
        """The answer to a prompt that fits the window."""
        cached = self._reuse(prompt)
        held, made = "", 0
        why: Why = "eos"
        for token in self.spoken.say(prompt):
            if self._full(len(prompt) + made) or 0 < asked.limit <= made:
                why = "limit"
                break
            made += 1
            self._cache.append(token)
            held += self.spoken.print(token, asked.preserved)
            if (cut := _first(held, asked.stop)) is not None:
                held, why = held[:cut], "word"
                break
            if not _may_become(held, asked.stop):
                yield Said(held)
                held = ""
        if held:
            yield Said(held)
        yield Ended(why, made + (why == "eos"), len(prompt) - cached, cached)

    def _full(self, used: int) -> bool:
        return used >= self.window and not self.shift

    def _reuse(self, prompt: list[int]) -> int:
        """How much of the prompt the slot still holds; the last token is always processed again, as llama.cpp does."""
        pairs = list(zip(self._cache, prompt[:-1], strict=False))
        common = next((place for place, (old, new) in enumerate(pairs) if old != new), len(pairs))
        self._cache = list(prompt)
        return common


def _first(text: str, stops: tuple[str, ...]) -> int | None:
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return min(found, default=None)


def _may_become(text: str, stops: tuple[str, ...]) -> bool:
    return any(text.endswith(stop[:length]) for stop in stops for length in range(1, len(stop)))
