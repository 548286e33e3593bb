"""How long counting takes: cold and warm, by length, and what a vocabulary takes of memory.

Real vocabularies are taken from HOLDFAST_DATA/vocabularies (or shared/data beside the project) where they are; else one
that is made up here: as large, so that times and memory are alike, though its tokens are nonsense.
"""

from __future__ import annotations

import gc
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from bench.data import DATA
from gateway.tokenizers.kept import KeptRecipes
from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.recipe import Recipe, recipe
from gateway.tokenizers.vocabulary import Vocabulary, built

VOCABULARIES = DATA / "vocabularies"
LENGTHS = (10_000, 50_000, 100_000, 250_000)
NAMES = ("qwen2", "qwen35", "llama-bpe", "gpt-2", "starcoder", "deepseek-coder", "llama-spm")
_Result = TypeVar("_Result")
MARKS = ("<|im_start|>", "<|start_header_id|>", "<|endoftext|>", "<|EOT|>", "<s>")


def main() -> None:
    print(
        f"{'vocabulary':15} {'build':>8} {'from disk':>10} {'memory':>8}  cold 200 KB   cold/warm turn by length in tokens"
    )
    names = [name for name in NAMES if (VOCABULARIES / f"ggml-vocab-{name}.gguf").exists()]
    for name in names or ["made up"]:
        with tempfile.TemporaryDirectory() as folder:
            alone(build, name, folder)
            alone(report, name, folder)


def alone(work: Callable[[str, Path], None], name: str, folder: str) -> None:
    """In a process of its own, so that memory is its own too."""
    process = get_context("fork").Process(target=work, args=(name, Path(folder)))
    process.start()
    process.join()


def build(name: str, folder: Path) -> None:
    model_info = read(name) if name in NAMES else made_up()
    made, seconds = timed(lambda: recipe(model_info))
    assert isinstance(made, Recipe)
    KeptRecipes(folder).put(name, made)
    print(f"{name:15} {seconds:7.2f}s", end="", flush=True)


def report(name: str, folder: Path) -> None:
    before = resident()
    vocabulary, seconds = timed(lambda: kept(folder, name))
    gc.collect()
    memory = resident() - before
    source = text()
    cold = min(timed(lambda: vocabulary.part(source[:200_000]))[1] for _ in range(3))
    cells = [cell(vocabulary, source, tokens) for tokens in LENGTHS]
    print(f" {seconds * 1e3:8.0f}ms {memory:6.0f}MB {cold * 1e3:10.1f}ms   " + "   ".join(cells), flush=True)


def kept(folder: Path, name: str) -> Vocabulary:
    found = KeptRecipes(folder).get(name)
    assert found is not None
    vocabulary = built(found)
    assert isinstance(vocabulary, Vocabulary)
    return vocabulary


def cell(vocabulary: Vocabulary, source: str, tokens: int) -> str:
    """Cold: a whole prompt of that many tokens. Warm: the next turn of the same conversation."""
    prompt, mark = conversation(vocabulary, source, tokens)
    counter = PromptCounter(vocabulary)
    whole, cold = timed(lambda: counter.count(prompt))
    warm = []
    for at in range(7):
        prompt += f"{mark}user\nturn {at}"
        warm.append(timed(lambda grown=prompt: counter.count(grown))[1])  # type: ignore[misc]
    return f"{whole // 1000}k {cold * 1e3:.0f}/{min(warm) * 1e3:.2f}ms"


def conversation(vocabulary: Vocabulary, source: str, tokens: int) -> tuple[str, str]:
    mark = next((mark for mark in MARKS if len(vocabulary.specials.parts(mark)) > 1), "")
    dice = random.Random(1)
    turns, length, at = [], 0, 0
    rate = vocabulary.part(source[:200_000]) / 200_000
    while length * rate < tokens:
        size = dice.choice((40, 300, 1200, 6000))
        turns.append(f"{mark}user\n{source[at : at + size]}")
        length += size
        at = (at + size) % (len(source) - 6000)
    return "".join(turns), mark


def text() -> str:
    """Python source: what agents read."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    return "".join(file.read_text(errors="replace") for file in files)[:2_000_000]


def read(name: str) -> Mapping[str, object]:
    from gguf import GGUFReader

    fields = GGUFReader(VOCABULARIES / f"ggml-vocab-{name}.gguf").fields
    return {key: field.contents() for key, field in fields.items() if key.startswith(("tokenizer.", "general."))}


def made_up(size: int = 150_000) -> Mapping[str, object]:
    """Merges of earlier tokens drawn by lot."""
    dice = random.Random(1)
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    tokens = [chr(byte) for byte in plain] + [chr(256 + at) for at in range(256 - len(plain))]
    known, merges = set(tokens), list[str]()
    while len(tokens) < size:
        left, right = tokens[int(dice.random() ** 2 * len(tokens))], tokens[int(dice.random() ** 3 * len(tokens))]
        if len(left) + len(right) < 12 and left + right not in known:
            merges.append(f"{left} {right}")
            tokens.append(left + right)
            known.add(left + right)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [*tokens, "<|im_start|>"],
        "tokenizer.ggml.token_type": [1] * size + [3],
        "tokenizer.ggml.merges": merges,
    }


def timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def resident() -> float:
    """Megabytes of this process in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
