"""How the two engines of the simulated servers read text, beside old Ollama's own and beside how the gateway counts."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.engines import LLAMA_CPP, OLD_OLLAMA
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.models.vocabulary import Vocabulary
from gateway.tokenizers import vocabulary as gateways

SMALL = Vocabulary(
    ["- -", "-- --", "Ġ Ġ", "ĠĠ ĠĠ", "a b", "ab ab", "h a", "ha ha", "haha haha", "= =", "== =", "=== ==="],
    control=["<|end|>"],
)
READ = [  # by tokenizer/bytepairencoding.go of 0.24.0, run over SMALL, and by llama.cpp's order
    ("----", "----", "----"),
    ("-----", "-- - --", "---- -"),
    ("-------", "-- - ----", "---- -- -"),
    ("------------", "-- - -- - -- ----", "---- ---- ----"),
    ("======", "======", "== == =="),
    ("=============", "====== === == ==", "== == == == == ==="),
    ("ababababababab", "ab abab abab abab", "abab abab abab ab"),
    ("hahahahahahahahahaha", "hahahaha ha hahahaha ha", "hahahaha hahahaha haha"),
    ("x-----=====x", "x -- - -- === == x", "x ---- - == === x"),
    ("--<|end|>---", "-- <|end|> -- -", "-- <|end|> -- -"),
]


def _read(text: str, *, old: bool) -> str:
    engine = OLD_OLLAMA["qwen3"] if old else LLAMA_CPP["qwen2"]
    return " ".join(SMALL.decode([token]) for token in SMALL.encode(text, engine))


@pytest.mark.parametrize(("text", "old", "new"), READ)
def test_equal_pairs_are_merged_in_the_order_of_each_engine(text: str, old: str, new: str) -> None:
    assert (_read(text, old=True), _read(text, old=False)) == (old, new)


def test_the_generations_differ() -> None:
    model = SimModel(family=FAMILIES["qwen3-coder"])
    assert len(model.read("-" * 100, OLD)) > len(model.read("-" * 100, NEW))
    assert _counts("-" * 100, "qwen3-coder", OLD)[0] > _counts("-" * 100, "qwen3-coder", NEW)[0]


@pytest.mark.parametrize(
    ("family", "text", "old", "new"),
    [
        ("qwen3-coder", "a \v\vb 12", ["a", " \v\v", "b", " ", "1", "2"], ["a", " \v", "\vb", " ", "1", "2"]),
        ("qwen2.5-coder", "a \v\vb", ["a", " \v", "\vb"], ["a", " \v", "\vb"]),  # llama.cpp reads it for both
        ("gpt-oss", "oÉéÉs's1234", ["o", "Éé", "És's", "123", "4"], ["oÉéÉs's", "123", "4"]),  # case beyond ASCII
        ("devstral", "aBéÉ's //\n12", ["a", "Bé", "É", "'s", " //\n", "1", "2"], ["a", "BéÉ", "'s", " //\n", "1", "2"]),
        ("glm-4.7", "x\u00a0-1234", ["x", "\u00a0-", "123", "4"], ["x", "\u00a0", "-", "123", "4"]),
    ],
)
def test_where_words_are_cut(family: str, text: str, old: list[str], new: list[str]) -> None:
    engines = [FAMILIES[family].engine(generation) for generation in (OLD, NEW)]
    assert [engine.cut.findall(text) for engine in engines] == [old, new]


@cache
def _gateways(family: str, generation: Generation) -> gateways.Vocabulary:
    served = FAMILIES[family]
    info = {"general.architecture": served.architecture, **served.vocabulary.keys(whole=True)}
    found = gateways.vocabulary(info, generation="new" if generation.new else "old")
    assert isinstance(found, gateways.Vocabulary)
    return found


def _counts(text: str, family: str, generation: Generation) -> tuple[int, int]:
    """The gateway's and the simulated server's."""
    model = SimModel(family=FAMILIES[family])
    return _gateways(family, generation).count(text), len(model.read(text, generation))


SPECIALS = sorted(
    {each for family in FAMILIES.values() for each in (*family.dialect.control, *family.dialect.user_defined)}
)


def runs(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda text, times: text * times, of, st.integers(1, 90))


WORDS = "camelCase HTTPServer def self.assertEqual( don't 'LL 1234 12 a/b ÉTÉé ǅ ʰ 語 가 éé 😀 ²"
PIECES = st.one_of(
    runs(st.sampled_from("-=_.*#/ \n\t0ab語é\v\u00a0\u3000")),
    runs(st.sampled_from(WORDS.split())),
    runs(st.sampled_from(["ha", "-=", "\r\n", " -", "│ ", "{}", "xyxy"])),
    st.text("-=*# \n", max_size=40),
    st.text(" \t\n\r\v\f\x85\u2003", max_size=20),
    st.text("aAbBéÉſǅʰא中1²'s", max_size=20),
    st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "Cc")), max_size=12),
    st.sampled_from(SPECIALS),
    st.just("\ud800"),
)
EXACT = [each for each in product(FAMILIES, (OLD, NEW)) if each != ("gemma4", OLD)]


@pytest.mark.parametrize(("family", "generation"), EXACT, ids=lambda each: getattr(each, "version", each))
@given(text=st.lists(PIECES, max_size=8).map("".join))
def test_the_gateway_counts_as_the_simulated_server_does(family: str, generation: Generation, text: str) -> None:
    assert _gateways(family, generation).exact
    ours, servers = _counts(text, family, generation)
    assert ours == servers


def test_where_it_may_not_it_does_not_call_its_count_exact() -> None:
    assert not _gateways("gemma4", OLD).exact
