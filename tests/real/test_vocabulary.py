"""Saying models over real vocabularies: the old Ollama counts llama.cpp's own test texts as the vectors say (where the data is at hand)."""

from __future__ import annotations

import pytest

from bench.data import DATA
from tests.real.ollama import Ollama
from tests.real.saying import Model, read_vocabulary
from tests.real.script import Line, write_script

pytestmark = pytest.mark.real

VOCABULARIES = DATA / "vocabularies"
NAMES = ("qwen2", "llama-bpe", "gpt-2", "llama-spm", "starcoder", "deepseek-coder")
CUE = "<|im_start|>assistant\n"
SAYS = "Qx!Zj?Wq"  # pieces that stand in no vector: a piece is matched in a prompt before the vocabulary's own tokens


@pytest.mark.parametrize("name", NAMES)
async def test_prompts_are_counted_by_the_real_vocabulary(old_ollama: Ollama, name: str) -> None:
    file = VOCABULARIES / f"ggml-vocab-{name}.gguf"
    if not file.exists():
        pytest.skip("no vocabularies at hand (HOLDFAST_DATA)")
    vocabulary = read_vocabulary(file)
    await old_ollama.teach(
        name, write_script(Line((CUE,), SAYS)), Model(vocabulary=vocabulary), template="{{ .Prompt }}"
    )
    texts = file.with_suffix(".gguf.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    counts = [len(line.split()) for line in file.with_suffix(".gguf.out").read_text().splitlines()]
    begin = "add_bos_token" in vocabulary.rest or name == "llama-bpe"  # llama.cpp adds it to this splitter by itself
    wrong = {}
    for text, count in zip(texts, counts, strict=False):
        if not text:
            continue  # an empty prompt only loads the model
        served = await _count(old_ollama, name, text)
        if served != count + begin:
            wrong[text] = (served, count)
    assert wrong == {}
    assert (await old_ollama.ask("/api/generate", {"model": name, "raw": True, "prompt": CUE})).text == SAYS


async def _count(ollama: Ollama, model: str, text: str) -> int:
    body = {"model": model, "raw": True, "prompt": text, "options": {"num_predict": 1}}
    return (await ollama.ask("/api/generate", body)).count("prompt_eval_count")
