"""Which tokens the merges really lead to, and in which order: what lets merging by token stand for merging by pair.

llama.cpp merges the pair that stands first in a list of pairs; tiktoken and sentencepiece merge whatever two neighbours
make the best *token*. Both come to the same where each token is ranked by the pair that makes it when it stands alone,
and tokens that never come to be when alone are left out: what happens inside a stretch of text before its last merge
does not depend on what is around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]


def pairs_of(merges: Iterable[str]) -> dict[Pair, int]:
    """Pair -> rank. The space that divides a pair is never its first character (llama.cpp reads it so too)."""
    ranks: dict[Pair, int] = {}
    for rank, merge in enumerate(merges):
        left, _, right = merge[1:].partition(" ")
        ranks.setdefault((merge[:1] + left, right), rank)
    return ranks


def reachable(ranks: Mapping[Pair, int]) -> dict[str, int]:
    """Token -> rank of its last merge, best first, for every token that its own characters merge into."""
    made = {
        token: rank for token in {left + right for left, right in ranks} if (rank := _last_merge(token, ranks)) >= 0
    }
    return dict(sorted(made.items(), key=lambda item: item[1]))


def is_two(token: str, ranks: Mapping[Pair, int]) -> bool:
    """Whether the merges stop at two halves of it: then merging by token goes one step further than they do."""
    parts = list(token)
    _merge(parts, ranks)
    return len(parts) == 2


def _last_merge(token: str, ranks: Mapping[Pair, int]) -> int:
    parts = list(token)
    rank = _merge(parts, ranks)
    return rank if len(parts) == 1 else -1


def _merge(parts: list[str], ranks: Mapping[Pair, int]) -> int:
    """Merge in place until no pair is left; the rank of the last merge, -1 where there was none."""
    last = -1
    while True:
        best, rank = -1, None
        for at in range(len(parts) - 1):
            found = ranks.get((parts[at], parts[at + 1]))
            if found is not None and (rank is None or found < rank):
                best, rank = at, found
        if rank is None:
            return last
        last = rank
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
