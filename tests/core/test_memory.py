"""What a context takes in bytes, and the window that fits: sizes by hand, and the largest window is the largest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.memory import (
    CACHE_TYPES,
    CacheType,
    Context,
    gib,
    largest_window,
    layers_on_gpu,
    parse_size,
)

GIB = 1 << 30
QWEN3_30B = Context(whole=48 * 4 * (128 + 128), whole_layers=48)  # 48 layers, 4 heads of keys, 128 + 128 elements each
CONTEXTS = st.builds(
    Context,
    whole=st.integers(0, 1 << 18),
    near=st.integers(0, 1 << 18),
    reach=st.integers(0, 8192),
    state=st.integers(0, 1 << 28),
)
KINDS = st.sampled_from(CACHE_TYPES)


@pytest.mark.parametrize(
    ("kind", "window", "size"),
    [
        ("f16", 32_768, 3 * GIB),  # 96 KiB a token
        ("f16", 262_144, 24 * GIB),
        ("q8_0", 32_768, 3 * GIB * 34 // 64),  # a block of 32 elements takes 34 bytes, of f16 it would take 64
        ("q4_0", 32_768, 3 * GIB * 18 // 64),
    ],
)
def test_a_context_by_hand(kind: CacheType, window: int, size: int) -> None:
    assert QWEN3_30B.size(window, kind=kind) == size
    assert QWEN3_30B.size(window, kind=kind, parallel=4) == 4 * size


@pytest.mark.parametrize(("kind", "told"), [("f16", 2.0), ("q8_0", 1.0), ("q4_0", 0.5)])
def test_ollamas_own_figures_are_a_little_low_where_a_cache_is_quantised(kind: CacheType, told: float) -> None:
    """Ollama v0.24.0 reckons "f16 2 / q8_0 1 / q4_0 0.5" bytes an element, and so leaves out each block's scale of two bytes."""
    ours = QWEN3_30B.size(1024, kind=kind) / (QWEN3_30B.whole * 1024)
    assert told <= ours <= told + 2 / 32


def test_layers_that_slide_stop_growing_and_recurrent_ones_never_grow() -> None:
    context = Context(whole=100, near=1000, reach=1024, state=5000)
    assert context.size(512) == 2 * (100 + 1000) * 512 + 5000
    assert context.size(1536) == 2 * (100 + 1000) * 1536 + 5000  # the window that is seen, and the 512 read at once
    assert context.size(65_536) == 2 * (100 * 65_536 + 1000 * 1536) + 5000


def test_the_window_that_fits_24_gib_beside_the_weights() -> None:
    """By hand: 24 GiB less 17.28 GiB of weights and 1 GiB for the rest leave 6,139,373,216 bytes, at 98,304 a token 62,452."""

    def fits(memory: int, kind: CacheType = "f16") -> int:
        return largest_window(QWEN3_30B, memory=memory * GIB, weights=18_556_688_736, most=262_144, kind=kind)

    assert fits(24) == 62_208  # 243 steps of 256
    assert fits(24, "q8_0") == 117_504
    assert fits(18) == 0
    assert fits(80) == 262_144


@given(CONTEXTS, KINDS, st.integers(1, 4), st.integers(0, 64 * GIB), st.integers(256, 1 << 20))
def test_what_fits_fits_and_a_step_more_does_not(
    context: Context, kind: CacheType, parallel: int, memory: int, most: int
) -> None:
    fits = largest_window(context, memory=memory, weights=0, overhead=0, kind=kind, parallel=parallel, most=most)
    assert 0 <= fits <= most
    if fits:
        assert context.size(fits, kind=kind, parallel=parallel) <= memory
    if fits + 256 <= most:
        assert context.size(fits + 256, kind=kind, parallel=parallel) > memory


@given(CONTEXTS, st.integers(1, 1 << 20), st.integers(1, 1 << 20))
def test_more_window_never_takes_less_and_more_bits_neither(context: Context, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert context.size(less) <= context.size(more)
    small, middle, large = (context.size(one, kind=kind) for kind in ("q4_0", "q8_0", "f16"))
    assert small <= middle <= large


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24 * GIB),
        ("24 gib", 24 * GIB),
        ("24G", 24 * GIB),
        ("24GB", 24 * 10**9),
        ("512MiB", 512 << 20),
        ("0.5TiB", 512 * GIB),
        ("24", None),
        ("", None),
        ("much", None),
        ("-1GiB", None),
        ("24GiBs", None),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size


def test_sizes_as_people_read_them() -> None:
    assert [gib(size) for size in (4_831_838_208, 12_582_912, 0)] == ["4.5 GiB", "12 MiB", "0.0 GiB"]


def test_39_of_48_layers() -> None:
    assert layers_on_gpu(39 / 48, 48) == 39
