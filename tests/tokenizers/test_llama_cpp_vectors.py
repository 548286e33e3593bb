"""llama.cpp's own test vectors, where they are at hand: every one must come to the same number of tokens."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import DATA
from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.recipe import Recipe, recipe
from gateway.tokenizers.vocabulary import Vocabulary, built

VOCABULARIES = DATA / "vocabularies"
NAMES = ["qwen2", "qwen35", "llama-bpe", "gpt-2", "llama-spm", "starcoder", "deepseek-coder"]

pytestmark = pytest.mark.skipif(not VOCABULARIES.is_dir(), reason="llama.cpp's vocabularies are not here")


SCALARS = ("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?", None, None, "<Q", "<q", "<d")  # by GGUF's numbers of types


class Keys:
    """The keys of a GGUF file (the gguf package reads every string into arrays of its own, which takes ten times as long)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 16
        self.all = {self.text(): self.value(self.number("<I")) for _ in range(self.number("<Q"))}

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        found: int = value
        return found

    def text(self) -> str:
        length = self.number("<Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind: int) -> object:
        form = SCALARS[kind]
        if form is not None:
            return self.number(form)
        if kind == 8:
            return self.text()
        inner = self.number("<I")
        return [self.value(inner) for _ in range(self.number("<Q"))]


def model_info(name: str) -> Mapping[str, object]:
    return Keys((VOCABULARIES / f"ggml-vocab-{name}.gguf").read_bytes()).all


@cache
def found(name: str) -> Vocabulary:
    made = recipe(model_info(name), generation="old")  # which adds a BOS as bare llama.cpp does
    assert isinstance(made, Recipe)
    vocabulary = built(made)
    assert isinstance(vocabulary, Vocabulary)
    return vocabulary


def vectors(name: str) -> list[tuple[str, int]]:
    path = VOCABULARIES / f"ggml-vocab-{name}.gguf"
    texts = path.with_suffix(".gguf.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    ids = path.with_suffix(".gguf.out").read_text().split("\n")
    return [(text, len(line.split())) for text, line in zip(texts, ids, strict=False)]


@pytest.mark.parametrize("name", NAMES)
def test_every_vector(name: str) -> None:
    assert found(name).exact
    told = vectors(name)
    assert len(told) >= 46
    wrong = [(text, tokens, found(name).part(text)) for text, tokens in told if found(name).part(text) != tokens]
    assert wrong == []


pieces = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["<|im_start|>", "<|im_end|>", "<|eot_id|>", "<s>", "</s>", "<|endoftext|>", "<fim_prefix>", "<|EOT|>"]
    ),
    st.sampled_from(["def count(self):\n    return 2024", "  \n\n", "日本語", " it's", "-----", "\t\t"]),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(turns=st.lists(st.lists(pieces, max_size=6).map("".join), max_size=12))
def test_segments_add_up(name: str, turns: list[str]) -> None:
    vocabulary = found(name)
    marks = [special for special in vocabulary.specials.parts("<|im_start|><s><|endoftext|><|EOT|>") if special][:1]
    prompt = "".join(f"{marks[0]}user\n{turn}" for turn in turns)
    counter = PromptCounter(vocabulary)
    for upto in (prompt[: len(prompt) // 2], prompt, prompt + marks[0]):
        assert counter.count(upto) == vocabulary.count(upto)
        assert vocabulary.part(upto) == sum(vocabulary.part(part) for part in vocabulary.specials.parts(upto))
