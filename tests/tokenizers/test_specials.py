"""Special tokens are found as llama.cpp finds them, and cutting at one that separates changes no count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.specials import SpecialTokens

alphabet = st.sampled_from("<>|ab ")
specials = st.lists(st.text(alphabet, min_size=1, max_size=5), max_size=6, unique=True)
texts = st.text(alphabet, max_size=30)


def one_after_another(text: str, ordered: list[str]) -> list[tuple[bool, str]]:
    """Each special token in turn takes its places in what the earlier ones left."""
    pieces = [(False, text)]
    for special in ordered:
        found: list[tuple[bool, str]] = []
        for is_special, piece in pieces:
            if is_special:
                found.append((True, piece))
                continue
            first, *rest = piece.split(special)
            found.append((False, first))
            for each in rest:
                found += [(True, special), (False, each)]
        pieces = found
    return [(is_special, piece) for is_special, piece in pieces if piece]


def found_by(tokens: SpecialTokens, text: str) -> list[tuple[bool, str]]:
    return [(at % 2 == 1, part) for at, part in enumerate(tokens.parts(text)) if part]


@given(specials, texts)
def test_the_longest_first(names: list[str], text: str) -> None:
    # texts of one length that overlap stand in an order that std::sort leaves open
    ordered = sorted(names, key=len, reverse=True)
    assert found_by(SpecialTokens(names), text) == one_after_another(text, ordered)


@given(specials, texts)
def test_in_file_order(names: list[str], text: str) -> None:
    assert found_by(SpecialTokens(names, in_file_order=True), text) == one_after_another(text, names)


@given(specials, texts, st.booleans())
def test_a_text_may_be_cut_at_what_separates(names: list[str], text: str, in_file_order: bool) -> None:
    tokens = SpecialTokens(names, in_file_order=in_file_order)
    for name in filter(tokens.separates, names):
        pieces: list[tuple[bool, str]] = []
        for at, segment in enumerate(text.split(name)):
            pieces += [(True, name)] if at else []
            pieces += found_by(tokens, segment)
        assert pieces == found_by(tokens, text)


def test_runs_of_spaces_are_taken_longest_first() -> None:
    tokens = SpecialTokens([" " * n for n in range(2, 25)])
    assert tokens.parts("a" + " " * 30 + "b") == ["a", " " * 24, "", " " * 6, "b"]


@pytest.mark.parametrize(
    ("names", "separates"),
    [
        (["<|a|>", "<|b|>"], True),
        (["<|a|>", "<|a|>x"], False),  # the longer one would be cut
        (["<|a|>", "|>y"], False),
        (["<|a|>", "<|a|><|a|>"], False),
    ],
)
def test_separates(names: list[str], separates: bool) -> None:
    assert SpecialTokens(names).separates("<|a|>") is separates


def test_thousands_of_nested_names_are_found_too() -> None:
    names = ["a" + "b" * n for n in range(1, 1500)]
    assert SpecialTokens(names).parts("xabbbx") == ["x", "abbb", "x"]


def test_no_special_tokens() -> None:
    assert SpecialTokens([]).parts("a<b>") == ["a<b>"]
