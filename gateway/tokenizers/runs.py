"""Words with a run in them ("-----"), as the engine of old Ollama merges them: of equal pairs not the first, but whichever
its heap gives up first. Everything else it merges as llama.cpp does.

Source: 0.24.0 tokenizer/bytepairencoding.go over the binary heap of emirpasic/gods v2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BETWEEN = "\N{LATIN CAPITAL LETTER A WITH MACRON}"  # parts a pair: U+0100, the first character that is no byte
_RUN = re.compile(r"(.{1,64}?)\1\1", re.DOTALL)
_PATIENCE = 200_000  # bytes of such words for one text, about two seconds


class TooManyRuns(Exception):
    """More words with runs than are merged in the time that a count may take. As llama.cpp merges them they may be a quarter."""


@dataclass(slots=True)
class _Pair:
    left: int
    right: int
    rank: int
    text: str


class RunMerges:
    """The words of a text where that order can matter, and their tokens. `merges` are pairs with BETWEEN, best first."""

    def __init__(self, merges: Iterable[str]) -> None:
        self._ranks: Mapping[str, int] = {merge: rank for rank, merge in enumerate(merges)}

    def among(self, words: Iterable[str]) -> dict[str, int]:
        """Tokens of those words in which one part stands three times in a row. None of them is a token as a whole.

        Raises TooManyRuns.
        """
        written = {word: word.encode().decode("latin-1") for word in words}
        odd = {word: letters for word, letters in written.items() if _RUN.search(letters)}
        if sum(map(len, odd.values())) > _PATIENCE:
            raise TooManyRuns
        return {word: self.count(letters) for word, letters in odd.items()}

    def count(self, word: str) -> int:
        """Tokens of a word, its bytes written as characters of those numbers."""
        parts, before, after = list(word), [*range(-1, len(word) - 1)], [*range(1, len(word) + 1)]
        heap: list[_Pair] = []

        def consider(left: int, right: int) -> None:
            if left < 0 or right >= len(parts):
                return
            rank = self._ranks.get(f"{parts[left]}{BETWEEN}{parts[right]}")
            if rank is not None:
                _push(heap, _Pair(left, right, rank, parts[left] + parts[right]))

        for at in range(len(word) - 1):
            consider(at, at + 1)
        while heap:
            pair = _pop(heap)
            left, right = pair.left, pair.right
            if not parts[left] or not parts[right] or parts[left] + parts[right] != pair.text:
                continue
            parts[left], parts[right] = pair.text, ""
            after[left] = after[right]
            if after[right] < len(parts):
                before[after[right]] = left
            consider(before[left], left)
            consider(left, after[left])
        return sum(1 for part in parts if part)


def _push(heap: list[_Pair], pair: _Pair) -> None:
    heap.append(pair)
    at = len(heap) - 1
    while at and heap[(at - 1) // 2].rank > heap[at].rank:
        up = (at - 1) // 2
        heap[at], heap[up] = heap[up], heap[at]
        at = up


def _pop(heap: list[_Pair]) -> _Pair:
    heap[0], heap[-1] = heap[-1], heap[0]
    top = heap.pop()
    at = 0
    while (down := 2 * at + 1) < len(heap):
        if down + 1 < len(heap) and heap[down].rank > heap[down + 1].rank:
            down += 1
        if heap[at].rank <= heap[down].rank:
            break
        heap[at], heap[down] = heap[down], heap[at]
        at = down
    return top
