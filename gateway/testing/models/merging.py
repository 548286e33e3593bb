"""How the bytes of a word merge into tokens, and which of equal pairs goes first: in llama.cpp, and in old Ollama's own engine."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Protocol, TypeAlias

Pairs: TypeAlias = Mapping[tuple[int, int], int]  # two neighbours -> the token that they make; the lowest is made first
_Pair: TypeAlias = tuple[int, int, int, int, int]  # the token to make; where the two parts begin; which they were
_GONE = -1


class Waiting(Protocol):
    """Pairs that wait to be merged. Which of those that make the same token comes first is what the engines differ in."""

    def push(self, pair: _Pair) -> None: ...
    def pop(self) -> _Pair: ...
    def __bool__(self) -> bool: ...


class Leftmost:
    """llama.cpp's order: of equal pairs the first in the text."""

    def __init__(self) -> None:
        self._pairs: list[_Pair] = []

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def push(self, pair: _Pair) -> None:
        heapq.heappush(self._pairs, pair)

    def pop(self) -> _Pair:
        return heapq.heappop(self._pairs)


class Toppled:
    """Old Ollama's order: of equal pairs the one that its binary heap happens to have on top.

    A pair that comes rises past greater ones only; for one that goes the last of all is put on top and sinks, past smaller ones
    only, to the right only where the right one is smaller (github.com/emirpasic/gods v2, trees/binaryheap).
    """

    def __init__(self) -> None:
        self._pairs: list[_Pair] = []

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def push(self, pair: _Pair) -> None:
        pairs, at = self._pairs, len(self._pairs)
        pairs.append(pair)
        while at and pairs[(above := (at - 1) // 2)][0] > pair[0]:
            pairs[at], at = pairs[above], above
        pairs[at] = pair

    def pop(self) -> _Pair:
        pairs, last = self._pairs, self._pairs.pop()
        if not pairs:
            return last
        top, at, below = pairs[0], 0, 1
        while below < len(pairs):
            below += below + 1 < len(pairs) and pairs[below + 1][0] < pairs[below][0]
            if last[0] <= pairs[below][0]:
                break
            pairs[at], at, below = pairs[below], below, 2 * below + 1
        pairs[at] = last
        return top


def merged(word: bytes, pairs: Pairs, waiting: Waiting) -> list[int]:
    """The tokens of a word: its bytes, each a token of that number, merged for as long as two neighbours make one."""
    parts, end = list(word), len(word)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))

    def consider(left: int, right: int) -> None:
        made = pairs.get((parts[left], parts[right])) if left >= 0 and right < end else None
        if made is not None:
            waiting.push((made, left, right, parts[left], parts[right]))

    for at in range(end - 1):
        consider(at, at + 1)
    while waiting:
        made, left, right, *were = waiting.pop()
        if [parts[left], parts[right]] == were:
            parts[left], parts[right] = made, _GONE
            after[left] = after[right]
            if after[left] < end:
                before[after[left]] = left
            consider(before[left], left)
            consider(left, after[left])
    return [part for part in parts if part != _GONE]
