"""What each generation of Ollama makes of a model file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.tokenizers.model_info import Tables, TokenType
from gateway.tokenizers.patterns import CUTS, GO_CUTS, Cut
from gateway.tokenizers.servers import Generation, generation_of, rules

PLAIN = Tables(architecture="qwen2", model="gpt2", pre="qwen2", tokens=["a", "b"], types=[1, 1])
LLAMA3 = replace(PLAIN, tokens=["x"] * 128009 + ["<|eot_id|>"], types=[1] * 128010, architecture="llama")


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("0.24.0", "old"),
        ("v0.6.2-rc1", "old"),
        ("0.30.0", "new"),
        ("0.33.3", "new"),
        ("1.0", "new"),
        ("0.0.0", "new"),  # built by hand
        ("", "new"),
    ],
)
def test_generations(version: str, generation: Generation) -> None:
    assert generation_of(version) == generation


@pytest.mark.parametrize(
    ("tables", "cut"),
    [
        (PLAIN, "qwen2"),
        (replace(PLAIN, pre=""), "default"),
        (replace(PLAIN, pre="default", architecture="gptoss"), "gpt-4o"),
        (replace(PLAIN, pre="default", architecture="mistral3"), "tekken"),
        (replace(PLAIN, pre="llama-bpe", architecture="mistral3"), "llama-bpe"),
        (replace(PLAIN, pre="default", architecture="lfm2"), "lfm2"),
        (replace(PLAIN, pre="llama-bpe", architecture="glmocr"), "chatglm-bpe"),
        (replace(PLAIN, pre="", architecture="glm4moelite"), "glm4"),
        (replace(LLAMA3, pre="default"), "llama-bpe"),
        (replace(LLAMA3, pre="smaug-bpe"), "smaug-bpe"),
        (replace(PLAIN, pre="default", architecture="llama"), "default"),
    ],
)
def test_new_ollama_corrects_its_own_files(tables: Tables, cut: str) -> None:
    found = rules(tables, "new")
    assert found.cut == CUTS[cut]
    assert not found.doubt


@pytest.mark.parametrize(
    ("tables", "cut", "adds_bos"),
    [
        (replace(PLAIN, architecture="qwen3"), GO_CUTS["qwen2"], True),
        (replace(PLAIN, architecture="qwen3", add_bos=False), GO_CUTS["qwen2"], False),
        (replace(PLAIN, architecture="qwen35", pre="qwen35"), GO_CUTS["qwen2"], False),
        (replace(PLAIN, architecture="gptoss"), GO_CUTS["gpt-4o"], False),
        (replace(PLAIN, architecture="mistral3"), GO_CUTS["tekken"], True),
        (replace(PLAIN, architecture="lfm2", pre="default"), GO_CUTS["plain"], True),
        (replace(PLAIN, architecture="deepseek2", pre="deepseek-v3"), GO_CUTS["deepseek-v3"], True),
        (replace(PLAIN, architecture="deepseek2", pre="deepseek-coder"), CUTS["deepseek-coder"], False),
        (replace(PLAIN, architecture="gemma3", model="llama"), None, True),
        (PLAIN, CUTS["qwen2"], False),  # llama.cpp runs it
        (replace(PLAIN, architecture="llama", pre="default"), CUTS["default"], False),  # and corrects nothing
    ],
)
def test_old_ollama_has_two_engines(tables: Tables, cut: Cut | None, adds_bos: bool) -> None:
    found = rules(tables, "old")
    assert found.cut == cut
    assert found.adds_bos is adds_bos
    assert not found.drops_bos


def test_gemma_3n_lists_its_unused_tokens_as_plain_ones() -> None:
    tables = replace(
        PLAIN, architecture="gemma3n", model="gemma3n", tokens=["<unused7>", "<0x0A>", "<bos>"], types=[4, 1, 3]
    )
    found = rules(tables, "new").tables
    assert (found.model, list(found.types)) == ("llama", [TokenType.NORMAL, TokenType.BYTE, TokenType.CONTROL])


def test_gemma_4_was_published_as_a_sentence_model() -> None:
    tables = replace(PLAIN, architecture="gemma4", model="llama", pre="gemma4", merges=["a b"])
    found = rules(tables, "new")
    assert (found.tables.model, found.cut, found.adds_bos) == ("gemma4", None, True)
    assert rules(tables, "old").doubt


def test_an_html_tag_of_gemma_4_is_no_end_of_turn() -> None:
    assert "</s>" in rules(PLAIN, "new").promoted
    assert "</s>" not in rules(replace(PLAIN, tokens=["</s>", "<|tool_response>"]), "new").promoted
    assert "</s>" not in rules(PLAIN, "old").promoted


def test_phi_3_is_doubted() -> None:
    found = rules(replace(PLAIN, architecture="phi3", model="llama"), "new")
    assert found.doubt
    assert "Phi-3" in found.why
