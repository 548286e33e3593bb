"""Small vocabularies of our own, trained when the tests start, in the shape of `model_info` of a verbose `/api/show`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise

import pytest

ModelInfo = Mapping[str, object]

TEXT = (
    "the gateway counts the tokens of the prompt before the prompt goes to the server. the server counts them again; "
    "the two counts are the same count, or one of the two is wrong! 2024-11-21T10:22:33 ERROR 0x7f3a worker 17: retry 3 "
    "def count(self, text): return len(self.tokens(text))  # the tokens of the text -----===== ____ ...... "
    "für straße naïve été 日本語 日本 語 привет мир 'tis it's they'll we're I'VE "
) * 3
BYTE_SPECIALS = ("<|start|>", "<|stop|>", "<|begin|>", "<tool>")


def letters_of_bytes() -> dict[int, str]:
    """GPT-2's alphabet: byte -> printable letter."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + at) for at, byte in enumerate(odd)}}


def train(words: Iterable[str], wanted: int) -> list[tuple[str, str]]:
    """Byte-pair merges of these words, the commonest pair first."""
    counted = Counter(tuple(word) for word in words)
    merges: list[tuple[str, str]] = []
    while len(merges) < wanted:
        pairs = Counter[tuple[str, str]]()
        for word, times in counted.items():
            for pair in pairwise(word):
                pairs[pair] += times
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        counted = Counter({_joined(word, best): times for word, times in counted.items()})
    return merges


def _joined(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    made: list[str] = []
    at = 0
    while at < len(word):
        if word[at : at + 2] == pair:
            made.append(pair[0] + pair[1])
            at += 2
        else:
            made.append(word[at])
            at += 1
    return tuple(made)


@cache
def byte_info(pre: str = "qwen2", architecture: str = "qwen2") -> ModelInfo:
    letters = letters_of_bytes()
    words = ["".join(letters[byte] for byte in word.encode()) for word in re.findall(r" ?\S+|\s+", TEXT)]
    merges = train(words, 300)
    tokens = [*letters.values(), *dict.fromkeys(left + right for left, right in merges), *BYTE_SPECIALS]
    ordinary = len(tokens) - len(BYTE_SPECIALS)
    return {
        "general.architecture": architecture,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * ordinary + [3, 3, 3, 4],
        "tokenizer.ggml.merges": [f"{left} {right}" for left, right in merges],
        "tokenizer.ggml.bos_token_id": ordinary + 2,
        "tokenizer.ggml.add_bos_token": False,
    }


@cache
def line_info() -> ModelInfo:
    """Merges over characters, as Gemma 4 has them."""
    words = re.findall(r"▁*[^▁]+", TEXT.replace(" ", "▁"))
    merges = train(words, 200)
    made = list(dict.fromkeys(left + right for left, right in merges))
    special = ["<pad>", "<bos>", "<|turn>", "<turn|>"]
    letters = sorted(set("".join(words)) | {"\n"})
    tokens = [*special, "\n\n", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *made]
    return {
        "general.architecture": "gemma4",
        "tokenizer.ggml.model": "gemma4",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3, 3, 3, 3, 1] + [6] * 256 + [1] * (len(letters) + len(made)),
        "tokenizer.ggml.merges": [f"{left} {right}" for left, right in merges],
        "tokenizer.ggml.bos_token_id": 1,
    }


@cache
def sentence_info() -> ModelInfo:
    """Pieces with scores, as SentencePiece models have them."""
    merges = train(re.findall(r"▁*[^▁]+", TEXT.replace(" ", "▁")), 200)
    made = list(dict.fromkeys(left + right for left, right in merges))
    letters = sorted(set(TEXT.replace(" ", "▁")))
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = ["<unk>", "<s>", "</s>", *bytes_, *letters, *made]
    scores = [0.0] * (3 + 256 + len(letters)) + [-float(rank) for rank in range(len(made))]
    return {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * (len(letters) + len(made)),
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.add_bos_token": True,
    }


@pytest.fixture(name="byte_info", scope="session")
def byte_info_fixture() -> ModelInfo:
    return byte_info()


@pytest.fixture(name="line_info", scope="session")
def line_info_fixture() -> ModelInfo:
    return line_info()


@pytest.fixture(name="sentence_info", scope="session")
def sentence_info_fixture() -> ModelInfo:
    return sentence_info()
