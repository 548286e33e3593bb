"""The simulated models' vocabulary and its training."""

from __future__ import annotations

import gzip
import json
from importlib import resources

import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing.models.engines import QWEN2
from gateway.testing.models.train_vocabulary import MERGES, packed, train
from gateway.testing.models.vocabulary import (
    CONTROL,
    DATA,
    USER_DEFINED,
    spelled,
    unspelled,
    vocabulary,
)

SMALL = vocabulary(("<|end|>", "<|start|>"), ("<tool_call>",))


@given(st.text())
def test_encoding_loses_nothing(text: str) -> None:
    assert SMALL.decode(SMALL.encode(text)) == text.encode("utf-8", "replace").decode()


@given(st.binary())
def test_the_printable_alphabet_is_one_to_one(data: bytes) -> None:
    assert unspelled(spelled(data)) == data


def test_special_tokens_are_read_as_such() -> None:
    tokens = SMALL.encode("a<|end|>b<tool_call>")
    assert [SMALL.bytes_of(token) for token in tokens] == [b"a", b"<|end|>", b"b", b"<tool_call>"]
    assert [SMALL.is_control(token) for token in tokens] == [False, True, False, False]


def test_a_very_long_word_is_counted() -> None:
    assert 1000 < SMALL.count(" " * 200_000) < 200_000


def test_it_is_a_vocabulary_that_compresses() -> None:
    text = "def total(items: list[int]) -> int:\n    return sum(item.count for item in items)\n"
    assert len(text) / SMALL.count(text) > 2.2


def test_what_show_gives_is_enough_to_count_the_same() -> None:
    keys = SMALL.keys(whole=True)
    tokens, types = keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.token_type"]
    assert isinstance(tokens, list)
    assert isinstance(types, list)
    special = {token: n for n, token in enumerate(tokens) if types[n] in (CONTROL, USER_DEFINED)}
    ranks = {unspelled(token): n for n, token in enumerate(tokens) if token not in special}
    rebuilt = tiktoken.Encoding("rebuilt", pat_str=QWEN2, mergeable_ranks=ranks, special_tokens=special)
    text = "<|start|>user\nprint('Zürich') 12345<|end|>\n"
    assert rebuilt.encode(text, allowed_special="all") == SMALL.encode(text)


def test_without_verbose_the_big_arrays_are_null() -> None:
    keys = SMALL.keys(whole=False)
    assert [name for name, value in keys.items() if value is None] == [
        "tokenizer.ggml.merges",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.tokens",
    ]


def test_training_is_a_function_of_the_text() -> None:
    texts = ["the theatre then there", "theme of the thesis " * 3]
    assert train(texts, merges=12) == train(texts, merges=12)
    assert train(texts, merges=3) == ["h e", "t he", "Ġ the"]
    assert packed(train(texts)) == packed(train(texts))


def test_training_makes_no_token_twice() -> None:
    merges = train(["abc bc ab abc abcd bcd " * 4], merges=50)
    made = [merge.replace(" ", "") for merge in merges]
    assert len(made) == len(set(made))


def test_the_data_file_is_small_and_whole() -> None:
    data = resources.files("gateway.testing.models").joinpath(DATA).read_bytes()
    merges = json.loads(gzip.decompress(data))["merges"]
    assert len(data) < 100_000
    assert len(merges) == MERGES
    assert len({merge.replace(" ", "") for merge in merges}) == MERGES
    assert gzip.decompress(packed(merges)) == gzip.decompress(data)
