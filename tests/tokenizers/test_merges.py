"""Merging by token comes to what merging by pair comes to, whatever the list of merges."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.merges import Pair, is_two, pairs_of, reachable

letters = st.sampled_from("abc")
words = st.text(letters, max_size=14)


@st.composite
def merge_lists(draw: st.DrawFn) -> list[str]:
    """Merges of parts that earlier merges made, as a trainer finds them, and sometimes shuffled."""
    parts = ["a", "b", "c"]
    merges: list[str] = []
    for _ in range(draw(st.integers(0, 14))):
        left, right = draw(st.sampled_from(parts)), draw(st.sampled_from(parts))
        merges.append(f"{left} {right}")
        parts.append(left + right)
    return draw(st.permutations(merges)) if draw(st.booleans()) else merges


def by_pair(word: str, ranks: dict[Pair, int]) -> list[str]:
    parts = list(word)
    while pairs := [(ranks[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in ranks]:
        _, at = min(pairs)
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return parts


def by_token(word: str, ranks: dict[str, int]) -> list[str]:
    parts = list(word)
    while pairs := [
        (ranks[left + right], at) for at, (left, right) in enumerate(pairwise(parts)) if left + right in ranks
    ]:
        _, at = min(pairs)
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return parts


@given(merge_lists(), words)
def test_by_token_is_by_pair(merges: list[str], word: str) -> None:
    ranks = pairs_of(merges)
    assert by_token(word, reachable(ranks)) == by_pair(word, ranks)


@given(merge_lists())
def test_every_reached_token_is_one_token(merges: list[str]) -> None:
    ranks = pairs_of(merges)
    assert all(by_pair(token, ranks) == [token] for token in reachable(ranks))
    assert list(reachable(ranks).values()) == sorted(reachable(ranks).values())


@given(merge_lists(), words)
def test_two_halves(merges: list[str], word: str) -> None:
    ranks = pairs_of(merges)
    assert is_two(word, ranks) == (len(by_pair(word, ranks)) == 2)


def test_a_pair_may_begin_with_a_space() -> None:
    assert pairs_of(["a b", "  b", "a b"]) == {("a", "b"): 0, (" ", "b"): 1}


def test_tokens_that_other_merges_get_in_the_way_of_are_left_out() -> None:
    ranks = pairs_of(["b c", "a b", "ab c"])
    assert reachable(ranks) == {"bc": 0, "ab": 1}
