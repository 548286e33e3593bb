"""What each layer keeps, for real models' numbers: against the sums of Ollama v0.24.0, and by hand where llama.cpp does otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.layers import context_of
from gateway.core.memory import Context, NotKnown

BATCH = 512


def file(arch: str, blocks: int, heads: object, kv_heads: object, embedding: int, **more: object) -> dict[str, object]:
    """`model_info` with these numbers; a double underscore stands for a dot."""
    numbers = {
        "block_count": blocks,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "embedding_length": embedding,
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    return {"general.architecture": arch, **{f"{arch}.{key}": value for key, value in numbers.items()}}


LONG_HEADS = {"attention__key_length": 128, "attention__value_length": 128}
LLAMA31_8B = file("llama", 32, 32, 8, 4096)
QWEN3_CODER_30B = file("qwen3moe", 48, 32, 4, 2048, **LONG_HEADS)
GPT_OSS_20B = file(
    "gptoss", 24, 64, 8, 2880, attention__key_length=64, attention__value_length=64, attention__sliding_window=128
)
GEMMA3_27B = file("gemma3", 62, 32, 16, 5376, attention__sliding_window=1024, **LONG_HEADS)
QWEN3_NEXT_80B = file(
    "qwen3next", 48, 16, [0, 0, 0, 2] * 12, 2048, attention__key_length=256, attention__value_length=256,
    ssm__conv_kernel=4, ssm__state_size=128, ssm__group_count=16, ssm__inner_size=4096,
)  # fmt: skip


def known(info: Mapping[str, object], *, old: bool = False) -> Context:
    context = context_of(info, generation="old" if old else "new")
    assert isinstance(context, Context), context
    return context


def ollamas_sum(info: Mapping[str, object], window: int) -> int:
    """`GraphSize` of Ollama v0.24.0 with f16 for one conversation:

    "per layer kv = ctx*parallel * (key_length+value_length) * head_count_kv[i] * bytes […]; gpt-oss: even layers
    4096*parallel+batch tokens, odd layers ctx; gemma3: 5 of 6 layers sliding_window*parallel+batch; recurrent layers
    ((conv-1)*(inner+2*groups*state)+state*inner)*4".
    """
    arch = info["general.architecture"]
    told = {key.removeprefix(f"{arch}."): value for key, value in info.items()}

    def number(key: str, otherwise: int = 0) -> int:
        value = told.get(key, otherwise)
        assert isinstance(value, int)
        return value

    usual = number("embedding_length") // number("attention.head_count")
    both = number("attention.key_length", usual) + number("attention.value_length", usual)
    heads, total = told["attention.head_count_kv"], 0
    for layer in range(number("block_count")):
        mine = heads[layer] if isinstance(heads, list) else number("attention.head_count_kv")
        tokens = window
        if arch == "gptoss" and layer % 2 == 0:
            tokens = 4096 + BATCH
        if arch == "gemma3" and (layer + 1) % 6 != 0:
            tokens = number("attention.sliding_window") + BATCH
        total += tokens * both * mine * 2
        if not mine:
            inner, state, groups = number("ssm.inner_size"), number("ssm.state_size"), number("ssm.group_count")
            total += ((number("ssm.conv_kernel") - 1) * (inner + 2 * groups * state) + state * inner) * 4
    return total


@pytest.mark.parametrize("window", [8192, 32_768, 131_072])
@pytest.mark.parametrize("info", [LLAMA31_8B, QWEN3_CODER_30B, GPT_OSS_20B, GEMMA3_27B, QWEN3_NEXT_80B])
def test_our_sums_are_those_of_ollama_v0_24_0(info: Mapping[str, object], window: int) -> None:
    assert known(info, old=True).size(window) == ollamas_sum(info, window)


@pytest.mark.parametrize(
    ("info", "each_token"),
    [
        (LLAMA31_8B, 128 << 10),  # 32 layers × 8 heads × (128 + 128) × 2 bytes
        (
            QWEN3_CODER_30B,
            96 << 10,
        ),  # heads of 128 although 2048 / 32 is 64: Ollama's PredictServerVRAM says half of it
        (GPT_OSS_20B, 24 << 10),  # 12 of 24 layers
        (GEMMA3_27B, 80 << 10),  # 10 of 62 layers
        (QWEN3_NEXT_80B, 24 << 10),  # 12 of 48 layers
    ],
)
def test_bytes_for_one_more_token_of_window(info: Mapping[str, object], each_token: int) -> None:
    context = known(info)
    assert (context.size(65_536) - context.size(32_768)) / 32_768 == each_token


def test_new_ollama_keeps_less_of_sliding_layers_where_the_file_says_less() -> None:
    old, new = known(GPT_OSS_20B, old=True), known(GPT_OSS_20B)
    assert (old.reach, new.reach) == (4096, 128)
    assert old.size(32_768) - new.size(32_768) == 12 * 8 * 128 * 2 * (4096 + BATCH - (128 + BATCH + 128))


def test_which_layers_slide() -> None:
    context = known(GEMMA3_27B)
    assert (context.whole_layers, context.near_layers, context.reach) == (10, 52, 1024)
    told = file("olmo3", 4, 8, 8, 1024, attention__sliding_window=4096)
    told["olmo3.attention.sliding_window_pattern"] = [True, False, False, False]
    assert known(told).near_layers == 1


def test_one_compressed_key_for_all_heads() -> None:
    """DeepSeek V3: 61 layers of 512 + 64 elements; the old generation kept the value, which is part of the key, once more."""
    info = file(
        "deepseek2", 61, 128, 1, 7168, attention__key_length=576, attention__value_length=512,
        attention__key_length_mla=192, attention__kv_lora_rank=512, rope__dimension_count=64,
    )  # fmt: skip
    assert known(info).whole == 61 * 576
    assert known(info, old=True).whole == 61 * (576 + 512)


def test_layers_that_use_the_keys_of_earlier_ones() -> None:
    info = file("gemma3n", 35, 8, 2, 2048, attention__key_length=256, attention__value_length=256)
    info |= {"gemma3n.attention.sliding_window": 512, "gemma3n.attention.shared_kv_layers": 15}
    context = known(info)
    assert context.whole_layers + context.near_layers == 20


@pytest.mark.parametrize(
    ("info", "why"),
    [
        ({}, "the numbers of its layers"),
        (file("llama", 0, 32, 8, 4096), "the numbers of its layers"),
        (file("gemma4", 30, 32, None, 2816), "attention.head_count_kv, a list that the server keeps back"),
        (file("llama", 32, 32, [8] * 31, 4096), "attention.head_count_kv, which has 31 numbers for 32 layers"),
        (file("llama", 32, 0, 8, 4096), "attention.head_count"),
        (file("brandnew", 32, 32, 8, 4096, attention__sliding_window=512), "which layers of the architecture brandnew have a sliding window"),
        (file("brandnew", 32, 32, 8, 4096, ssm__state_size=128), "which layers of the architecture brandnew are recurrent"),
    ],
)  # fmt: skip
def test_what_is_not_told_is_not_guessed(info: Mapping[str, object], why: str) -> None:
    assert context_of(info) == NotKnown(why)


KEYS = st.sampled_from([key.split(".", 1)[1] for key in (*GEMMA3_27B, *QWEN3_NEXT_80B) if "." in key])
VALUES = st.none() | st.integers(-4, 300) | st.text(max_size=3) | st.lists(st.integers(0, 9) | st.none(), max_size=70)


@given(st.sampled_from(["gemma3", "qwen3next", "llama", "mamba", "nemotron_h"]), st.dictionaries(KEYS, VALUES))
def test_whatever_a_file_says_nothing_is_raised(arch: str, said: Mapping[str, object]) -> None:
    info = {"general.architecture": arch, **{f"{arch}.{key}": value for key, value in said.items()}}
    context = context_of(info)
    assert isinstance(context, NotKnown) or isinstance(context.size(4096), int)
