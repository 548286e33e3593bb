"""The cuts: nothing is lost, and what was folded into one pattern cuts as the passes that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.patterns import CUTS, GO_CUTS, Cut

SHORT = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = SHORT + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"

PASSES = {
    "starcoder": (r"\p{N}", GPT2),
    "default": (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
    "falcon": (r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"[0-9][0-9][0-9]"),
    "laguna": (r"[^\n]+|[\n]+", QWEN2),
    "minicpm5": (r"\p{N}{1,3}", QWEN2.replace(r"\p{N}|", r"\p{N}+|")),
    "deepseek-v3": (
        r"\p{N}{1,3}",
        r"[一-龥぀-ゟ゠-ヿ]+",
        r"[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    # llama.cpp sees every white space beyond ASCII as a vertical tab, so the last but one leaves it alone
    "deepseek-coder": (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[\u0800-\u9FA5\uAC00-\uD7FF--\s]+", r"\p{N}"),
    "bloom": (BLOOM,),
}

TRICKY = [
    *"abXYsStTmMdDlLvVeErR'’0123٣४Ⅷ½ \t\n\r\u00a0\u2003\u3000\u0085\x0b!?.,;:/\\-_()[]{}<>=+*&^%$#@`~|\"…—。、！",
    *"éßÑжΩאبกเ中文字日本ひカ한글ㄅ∑€°😀\u0301\u093f\u200b\u200d\x00\x01\x7fſǅ𝒳\ue000",
    *("'S", "'ll", "'RE", "\n\n", "    ", "\r\n", "//\n/", "123", "4567", " 'd"),
]
texts = st.lists(st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"])), max_size=40).map("".join)


def cut(passes: tuple[str, ...], text: str) -> list[str]:
    """Each pattern over every piece that the patterns before it left: matches, and what stands between them."""
    pieces = [text]
    for each in passes:
        found = regex.compile(f"({each})", regex.V1)
        pieces = [part for piece in pieces for part in found.split(piece) if part]
    return pieces


@pytest.mark.parametrize("name", PASSES)
@given(texts)
def test_a_folded_pattern_cuts_as_its_passes(name: str, text: str) -> None:
    assert cut(CUTS[name].passes, text) == cut(PASSES[name], text)


@pytest.mark.parametrize("cuts", [CUTS, GO_CUTS], ids=["llama.cpp", "go"])
@given(text=texts)
def test_a_lone_pattern_matches_every_character(cuts: Mapping[str, Cut], text: str) -> None:
    for passes in {found.passes for found in cuts.values() if len(found.passes) == 1}:
        assert "".join(match.group() for match in regex.finditer(passes[0], text, regex.V1)) == text


@given(texts)
def test_several_passes_lose_nothing(text: str) -> None:
    for found in CUTS.values():
        assert "".join(cut(found.passes, text)) == text


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("qwen2", "it's 2024", ["it", "'s", " ", "2", "0", "2", "4"]),
        ("llama3", "it's 20245", ["it", "'s", " ", "202", "45"]),
        ("qwen2", "a\n\n  b", ["a", "\n\n", " ", " b"]),
        ("gpt-2", "a\n\n  b", ["a", "\n\n ", " b"]),
        ("gpt-4o", "HTTPServer's", ["HTTPServer's"]),
        ("tekken", "HTTPServer's", ["HTTPServer", "'s"]),
        ("qwen35", "कि", ["कि"]),
        ("qwen2", "कि", ["क", "ि"]),
        ("tiny_aya", "1234567", ["1", "234", "567"]),
        ("qwen2", "'ſ", ["'ſ"]),  # the long s is no contraction
    ],
)
def test_words(name: str, text: str, words: list[str]) -> None:
    assert cut(CUTS[name].passes, text) == words


def test_a_change_of_the_patterns_is_a_change_of_the_format() -> None:
    """Recipes on disk hold patterns. When this fails, raise `_VERSION` in kept.py, then put the new digest here."""
    patterns = repr(sorted({**CUTS, **{f"go {name}": each for name, each in GO_CUTS.items()}}.items()))
    assert blake2b(patterns.encode(), digest_size=8).hexdigest() == "6560b10e3ab88371"
