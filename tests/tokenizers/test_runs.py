"""Equal merges in the order of a heap, worked out by hand for the engine of Ollama 0.24.0."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.runs import BETWEEN, RunMerges, TooManyRuns
from gateway.tokenizers.vocabulary import Vocabulary, vocabulary

DASHES = RunMerges([f"-{BETWEEN}-", f"--{BETWEEN}--"])


@pytest.mark.parametrize(
    ("dashes", "tokens"),
    [
        (2, 1),
        (3, 2),
        (4, 1),
        (5, 3),  # the pair at the end goes before the one in the middle: two, one, two
        (8, 2),
    ],
)
def test_dashes(dashes: int, tokens: int) -> None:
    assert DASHES.count("-" * dashes) == tokens


@given(st.text(st.sampled_from("-ab"), max_size=30))
def test_without_a_run_the_order_is_no_matter(word: str) -> None:
    merges = RunMerges([f"-{BETWEEN}-", f"a{BETWEEN}b", f"ab{BETWEEN}ab", f"--{BETWEEN}ab"])
    if not merges.among([word]):
        assert merges.count(word) == _leftmost(word)


def _leftmost(word: str) -> int:
    parts = list(word)
    for left, right in (("-", "-"), ("a", "b"), ("ab", "ab"), ("--", "ab")):
        at = 0
        while at < len(parts) - 1:
            if parts[at : at + 2] == [left, right]:
                parts[at : at + 2] = [left + right]
            at += 1
    return len(parts)


def test_what_has_a_run() -> None:
    words = ["---", "x---", "ababab", "\n\n\n", "ééé", "--", "abab", "tokens"]
    assert list(DASHES.among(words)) == words[:5]


def test_patience_ends() -> None:
    words = [letter * 90_000 for letter in "abc"]
    assert list(DASHES.among(words[:2])) == words[:2]
    with pytest.raises(TooManyRuns):
        DASHES.among(words)


def dashes(byte_info: Mapping[str, object], architecture: str) -> Vocabulary:
    letters = byte_info["tokenizer.ggml.tokens"]
    assert isinstance(letters, list)
    found = vocabulary(
        {
            "general.architecture": architecture,
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "qwen2",
            "tokenizer.ggml.tokens": [*letters[:256], "--", "----"],
            "tokenizer.ggml.merges": ["- -", "-- --"],
        },
        generation="old",
    )
    assert isinstance(found, Vocabulary)
    return found


@pytest.mark.parametrize(("architecture", "tokens"), [("qwen25vl", 3), ("qwen2", 2)])
def test_the_architecture_says_which_engine(byte_info: Mapping[str, object], architecture: str, tokens: int) -> None:
    assert dashes(byte_info, architecture).plain("-----") == tokens


def test_what_takes_too_long_is_estimated_and_not_called_sure(byte_info: Mapping[str, object]) -> None:
    found = dashes(byte_info, "qwen25vl")
    assert found.part("-" * 300_000) == 100_000
    with pytest.raises(TooManyRuns):
        found.part("-" * 300_000, surely=True)
    assert dashes(byte_info, "qwen2").part("-" * 300_000, surely=True) == 75_000
