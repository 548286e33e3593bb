"""Trains the simulated models' vocabulary on this project's own text: `python -m gateway.testing.models.train_vocabulary`.

Law: the same text gives the same vocabulary.
"""

from __future__ import annotations

import gzip
import heapq
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from gateway.testing.models.vocabulary import DATA, spelled

MERGES = 4096
_SOURCES = ("*.md", "docs/**/*.md", "policies/**/*.yaml", "gateway/**/*.py", "tests/**/*.py", "bench/**/*.py")
_WORDS = re.compile(r" ?[^\W\d_]+|\d| ?[^\s\w]+|_+|\s*\n|\s+(?!\S)|\s+")  # near the split that encoding uses


def project_text(root: Path) -> Iterator[str]:
    """The project's files in a fixed order."""
    for pattern in _SOURCES:
        for path in sorted(root.glob(pattern)):
            yield path.read_text(encoding="utf-8")


def train(texts: Iterable[str], *, merges: int = MERGES) -> list[str]:
    """The most frequent pairs, one after the other, as lines of a GGUF file: `left right`. Ties go to the first in byte order."""
    pairs = _Pairs(Counter(word for text in texts for word in _WORDS.findall(text)))
    learnt: list[str] = []
    while len(learnt) < merges and (best := pairs.best()):
        learnt.append(f"{spelled(best[0])} {spelled(best[1])}")
        pairs.merge(best)
    return learnt


Pair: TypeAlias = tuple[bytes, bytes]


class _Pairs:
    """How often each pair of neighbours occurs, and in which words."""

    def __init__(self, counts: Counter[str]) -> None:
        self._words = [[bytes([byte]) for byte in word.encode()] for word in counts]
        self._weights = list(counts.values())
        self._counts: Counter[Pair] = Counter()
        self._places: defaultdict[Pair, set[int]] = defaultdict(set)
        self._heap: list[tuple[int, Pair]] = []  # the counts as they were; an entry that is out of date is skipped
        self._made: set[bytes] = set()
        for index in range(len(self._words)):
            self._note(index, +1)

    def best(self) -> Pair | None:
        """The pair to merge next: the most frequent that occurs at least twice and makes a new token."""
        while self._heap:
            count, pair = heapq.heappop(self._heap)
            if -count == self._counts[pair] > 1 and b"".join(pair) not in self._made:
                return pair
        return None

    def merge(self, pair: Pair) -> None:
        self._made.add(b"".join(pair))
        for index in sorted(self._places.pop(pair)):
            self._note(index, -1)
            self._words[index] = _merged(self._words[index], pair)
            self._note(index, +1)

    def _note(self, index: int, sign: int) -> None:
        word = self._words[index]
        for pair in itertools.pairwise(word):
            self._counts[pair] += sign * self._weights[index]
            if sign > 0:
                self._places[pair].add(index)
            heapq.heappush(self._heap, (-self._counts[pair], pair))


def _merged(word: list[bytes], pair: Pair) -> list[bytes]:
    out: list[bytes] = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] += token
        else:
            out.append(token)
    return out


def packed(merges: list[str]) -> bytes:
    """The data file, without a time stamp."""
    return gzip.compress(json.dumps({"merges": merges}, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)


def main() -> None:
    root = Path(__file__).resolve().parents[3]
    data = packed(train(project_text(root)))
    Path(__file__).with_name(DATA).write_bytes(data)


if __name__ == "__main__":
    main()
