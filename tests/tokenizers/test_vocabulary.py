"""Counts against a reference written from the definition: special tokens cut, words cut, bytes merge pair by pair."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from itertools import pairwise

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.model_info import Unsupported
from gateway.tokenizers.patterns import CUTS
from gateway.tokenizers.servers import Generation
from gateway.tokenizers.vocabulary import Vocabulary, vocabulary

ModelInfo = Mapping[str, object]
NONE: ModelInfo = {}


def made(info: ModelInfo, changes: Mapping[str, object] = NONE, generation: Generation = "new") -> Vocabulary:
    keys = {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    found = vocabulary({**info, **keys}, generation=generation)
    assert isinstance(found, Vocabulary)
    return found


class Reference:
    """Slow and plain."""

    def __init__(self, info: ModelInfo, *, characters: bool = False) -> None:
        tokens, types, merges = (info[f"tokenizer.ggml.{key}"] for key in ("tokens", "token_type", "merges"))
        assert isinstance(tokens, list)
        assert isinstance(types, list)
        assert isinstance(merges, list)
        self.known = set(tokens)
        self.specials = [token for token, kind in zip(tokens, types, strict=True) if kind in (2, 3, 4)]
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}
        self.letters = {} if characters else dict(enumerate(_letters()))
        self.pre = str(info.get("tokenizer.ggml.pre", ""))

    def count(self, text: str) -> int:
        cut = re.split("(" + "|".join(map(re.escape, sorted(self.specials, key=len, reverse=True))) + ")", text)
        return sum(1 if at % 2 else self.stretch(part) for at, part in enumerate(cut))

    def stretch(self, text: str) -> int:
        if not self.letters:
            return sum(self.line(line) for line in re.findall(r"[^\n]+|\n+", text.replace(" ", "▁")))
        words = [text]
        for each in CUTS[self.pre].passes:
            words = [part for word in words for part in regex.split(f"({each})", word, flags=regex.V1) if part]
        return sum(len(self.merged([self.letters[byte] for byte in word.encode()])) for word in words)

    def line(self, line: str) -> int:
        if line in self.known:
            return 1
        return sum(1 if part in self.known else len(part.encode()) for part in self.merged(list(line)))

    def merged(self, parts: list[str]) -> list[str]:
        while True:
            found = [(self.ranks.get(pair), at) for at, pair in enumerate(pairwise(parts))]
            best = min(((rank, at) for rank, at in found if rank is not None), default=None)
            if best is None:
                return parts
            parts[best[1] : best[1] + 2] = ["".join(parts[best[1] : best[1] + 2])]


def _letters() -> list[str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = iter(range(256, 324))
    return [chr(byte) if byte in plain else chr(next(odd)) for byte in range(256)]


pieces = st.one_of(
    st.sampled_from(["<|start|>", "<|stop|>", "<tool>", "<|turn>", "<turn|>", "<s>", "</s>", "<|im_end|>", "<|star"]),
    st.sampled_from(
        ["the tokens", " of", "  ", "\n", "\n\n", "\t", "2024", "-----", "count(self)", "日本語", "straße", "é"]
    ),
    st.text(max_size=8),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.lists(pieces, max_size=12).map("".join)


@pytest.fixture(scope="module", name="by_bytes")
def by_bytes_fixture(byte_info: ModelInfo) -> Vocabulary:
    return made(byte_info)


@pytest.fixture(scope="module", name="by_lines")
def by_lines_fixture(line_info: ModelInfo) -> Vocabulary:
    return made(line_info)


@pytest.fixture(scope="module", name="by_sentences")
def by_sentences_fixture(sentence_info: ModelInfo) -> Vocabulary:
    return made(sentence_info)


@given(text=texts)
def test_byte_vocabularies(by_bytes: Vocabulary, byte_info: ModelInfo, text: str) -> None:
    assert by_bytes.exact
    assert by_bytes.count(text) == Reference(byte_info).count(text)


@pytest.mark.parametrize("pre", ["tiny_aya", "youtu", "deepseek-v3", "default", "gpt-4o"])
def test_every_way_of_cutting(byte_info: ModelInfo, pre: str) -> None:
    text = "The server counts 1234567 tokens in 日本語, again:\n\n   -----===== it's HTTPServer's\t0x7f3a ..."
    info = {**byte_info, "tokenizer.ggml.pre": pre}
    assert made(info).part(text) == Reference(info).count(text)


@given(text=texts)
def test_character_vocabularies(by_lines: Vocabulary, line_info: ModelInfo, text: str) -> None:
    assert by_lines.count(text) == Reference(line_info, characters=True).count(text) + (not text.startswith("<bos>"))


@given(text=texts)
def test_the_parts_between_special_tokens_add_up(
    by_bytes: Vocabulary, by_lines: Vocabulary, by_sentences: Vocabulary, text: str
) -> None:
    for found in (by_bytes, by_lines, by_sentences):
        parts = found.specials.parts(text)
        assert found.part(text) == sum(found.part(part) for part in parts)


def test_sentences_have_a_space_before_them_and_after_special_tokens(by_sentences: Vocabulary) -> None:
    the = by_sentences.plain("the")
    assert the == by_sentences.plain("the tokens") - by_sentences.plain("tokens") == 1
    assert by_sentences.part("the</s>the") == 2 * the + 1
    assert by_sentences.plain("☃") == 1 + len("☃".encode())


def test_without_the_space(sentence_info: ModelInfo, by_sentences: Vocabulary) -> None:
    bare = made(sentence_info, {"add_space_prefix": False})
    assert bare.plain(" the") == by_sentences.plain("the")


@pytest.mark.parametrize(
    ("changes", "generation", "prompt", "added"),
    [
        ({}, "new", "<|begin|>x", 0),
        ({"add_bos_token": True}, "new", "x", 1),
        ({"add_bos_token": True}, "new", "<|begin|>x", 0),  # new Ollama takes the text off, for it adds the token
        ({"add_bos_token": True}, "old", "<|begin|>x", 1),  # old Ollama sends two
        ({"add_bos_token": True, "add_eos_token": True}, "new", "x", 2),
        ({"add_bos_token": None, "pre": "llama-bpe"}, "new", "<|begin|>x", 1),  # llama.cpp's default, unknown to Ollama
        ({"add_bos_token": None, "pre": "lfm2"}, "new", "<|begin|>x", 0),
        ({"add_bos_token": None, "pre": "gpt-2"}, "new", "x", 0),
    ],
)
def test_what_the_server_adds(
    byte_info: ModelInfo, changes: dict[str, object], generation: Generation, prompt: str, added: int
) -> None:
    found = made(byte_info, changes, generation)
    assert found.added(prompt) == added
    assert found.count(prompt) == found.part(prompt) + added


def test_gemma_4_always_gets_a_bos(line_info: ModelInfo) -> None:
    assert made(line_info, {"add_bos_token": False}).added("x") == 1
    assert made(line_info, {"add_bos_token": False}).added("<bos>x") == 0


def test_ends_of_turns_are_special_whatever_their_type(byte_info: ModelInfo) -> None:
    tokens, types = byte_info["tokenizer.ggml.tokens"], byte_info["tokenizer.ggml.token_type"]
    assert isinstance(tokens, list)
    assert isinstance(types, list)
    changes: dict[str, object] = {"tokens": [*tokens, "<|im_end|>", "</s>"], "token_type": [*types, 1, 1]}
    assert made(byte_info, changes).part("the<|im_end|>the</s>the") == 5
    assert made(byte_info, changes, "old").part("the</s>the") > 3


def test_an_unknown_cut_is_never_exact(byte_info: ModelInfo) -> None:
    found = made(byte_info, {"pre": "from-the-future"})
    assert not found.exact
    assert "from-the-future" in found.why
    assert found.count("the tokens") == made(byte_info, {"pre": "default"}).count("the tokens")
    assert found.margin(1000) == 350
    assert made(byte_info).margin(1000) == 0


def test_whole_words_that_no_merge_makes(byte_info: ModelInfo) -> None:
    tokens, types = byte_info["tokenizer.ggml.tokens"], byte_info["tokenizer.ggml.token_type"]
    assert isinstance(tokens, list)
    assert isinstance(types, list)
    changes: dict[str, object] = {"tokens": [*tokens, "qzxqzx"], "token_type": [*types, 1]}
    assert made(byte_info, changes).plain("qzxqzx") == 6
    looked_up = made(byte_info, {**changes, "pre": "llama3"})
    assert looked_up.plain("qzxqzx") == 1
    assert looked_up.plain("qzxqzxq") == 7
    assert looked_up.exact


def test_a_list_of_merges_that_does_not_fit_its_tokens_is_doubted(byte_info: ModelInfo) -> None:
    merges = byte_info["tokenizer.ggml.merges"]
    assert isinstance(merges, list)
    assert not made(byte_info, {"merges": [*merges, "q z"]}).exact


def test_bytes_without_a_token_are_skipped(byte_info: ModelInfo) -> None:
    tokens = byte_info["tokenizer.ggml.tokens"]
    assert isinstance(tokens, list)
    lacking = made(byte_info, {"tokens": [token if token != _letters()[0xF3] else "[gone]" for token in tokens]})
    assert lacking.plain("\U000e0001") == made(byte_info).plain("\U000e0001") - 1
    assert lacking.exact


PATHOLOGICAL = {
    "a million spaces": " " * 1_000_000,
    "spaces and a letter": " " * 1_000_000 + "x",
    "a line of 10 MB": "the tokens of the prompt " * 400_000,
    "a word of 3 MB": "tokens" * 500_000,
    "a million capitals": "A" * 1_000_000,
    "a million digits": "1234567890" * 100_000,
    "newlines": "\n" * 1_000_000,
    "signs": "-=" * 500_000,
    "zeros": "\x00" * 100_000,
    "marks": "<|start|>" * 100_000,
    "half marks": "<|start" * 100_000,
    "runs": "".join(f"{n}{'-=' * 2500}\n" for n in range(400)),
    "east": "日本語" * 100_000,
}


@pytest.mark.parametrize("kind", ["qwen2", "gpt-4o", "tiny_aya", "deepseek-coder", "engine", "lines", "sentences"])
@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_text_takes_long(
    byte_info: ModelInfo, by_lines: Vocabulary, by_sentences: Vocabulary, kind: str, name: str
) -> None:
    engine = made({**byte_info, "general.architecture": "qwen3"}, generation="old")
    others = {"lines": by_lines, "sentences": by_sentences, "engine": engine}
    found = others.get(kind) or made(byte_info, {"pre": kind})
    began = time.process_time()
    assert found.count(PATHOLOGICAL[name]) > 0
    assert time.process_time() - began < 30  # the slowest takes about 3 s on an idle core


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ud83d\ude00", "\udc00\ud800<|start|>", "x\ud800 "])
def test_lone_surrogates_count_as_replacement_characters(
    by_bytes: Vocabulary, by_lines: Vocabulary, by_sentences: Vocabulary, text: str
) -> None:
    whole = text.replace("\ud83d\ude00", "😀")
    told = "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= letter < "\ue000" else letter for letter in whole)
    for found in (by_bytes, by_lines, by_sentences):
        assert found.count(text) == found.count(told)


@pytest.mark.parametrize("info", [{}, {"tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": ["a"]}])
def test_refusals(info: ModelInfo) -> None:
    assert isinstance(vocabulary(info), Unsupported)


def test_a_null_list_says_what_to_ask_for(byte_info: ModelInfo) -> None:
    found = vocabulary({**byte_info, "tokenizer.ggml.tokens": None})
    assert isinstance(found, Unsupported)
    assert "verbose" in found.reason


@given(
    st.dictionaries(
        st.sampled_from(["model", "pre", "tokens", "token_type", "merges", "scores", "bos_token_id", "add_bos_token"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-2, 9),
            st.sampled_from(["gpt2", "llama", "gemma4", "qwen2", ""]),
            st.lists(st.one_of(st.text(max_size=3), st.integers(-1, 7), st.floats(width=32)), max_size=6),
        ),
    )
)
def test_nothing_in_model_info_raises(keys: dict[str, object]) -> None:
    found = vocabulary({f"tokenizer.ggml.{key}": value for key, value in keys.items()})
    if isinstance(found, Vocabulary):
        assert found.count("any text \ud800 <s>") >= 0
