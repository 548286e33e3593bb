"""What a model's context takes in memory, and the window that fits: arithmetic over bytes and tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

CacheType: TypeAlias = Literal["f16", "q8_0", "q4_0"]
CACHE_TYPES: tuple[CacheType, ...] = get_args(CacheType)
_BLOCK = {"f16": 64, "q8_0": 34, "q4_0": 18}  # bytes of 32 elements (llama.cpp, ggml-common.h)
_STEP = 256  # tokens; llama.cpp pads a context to a multiple of this
BATCH = 512  # tokens read at once; Ollama takes up to 2,048 where memory allows, and falls back to this
OVERHEAD = 1 << 30  # bytes beside weights and context, for driver and compute buffers: assumed, not measured


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The arithmetic can't be done, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the layers of a model keep of a conversation.

    `whole`: elements for each token of the window. `near`: elements for each of the last `reach` tokens, in layers with a
    sliding window. `state`: bytes in recurrent layers, whatever the window. The rest counts the layers of each sort.
    """

    whole: int
    near: int = 0
    reach: int = 0
    state: int = 0
    whole_layers: int = 0
    near_layers: int = 0
    recurrent_layers: int = 0

    def size(self, window: int, *, kind: CacheType = "f16", parallel: int = 1) -> int:
        """Bytes for `parallel` conversations of `window` tokens each (llama.cpp 0c1e570, llama-kv-cache-iswa.cpp)."""
        cells = _padded(window)
        elements = self.whole * cells + self.near * min(cells, _padded(self.reach + BATCH))
        return parallel * (elements * _BLOCK[kind] // 32 + self.state)


def largest_window(
    context: Context,
    *,
    memory: int,
    weights: int,
    overhead: int = OVERHEAD,
    kind: CacheType = "f16",
    parallel: int = 1,
    most: int,
) -> int:
    """The largest window up to `most` tokens that fits `memory` bytes beside weights and overhead; 0 where none does."""
    room = memory - weights - overhead
    if context.size(most, kind=kind, parallel=parallel) <= room:
        return most
    low, high = 0, most // _STEP
    while low < high:
        middle = (low + high + 1) // 2
        if context.size(middle * _STEP, kind=kind, parallel=parallel) <= room:
            low = middle
        else:
            high = middle - 1
    return low * _STEP


def layers_on_gpu(share: float, layers: int) -> int:
    """About how many of a model's layers are on the GPU, from the share of its bytes that is."""
    return round(share * layers)


_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt])(i?b)?\s*", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Bytes in `24GiB`, `24G` (the same), `24GB` (a little less) or `512MiB`; None where it is no size."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    power = "kmgt".index(found[2].lower()) + 1
    base = 1000 if (found[3] or "").lower() == "b" else 1024
    return int(float(found[1]) * base**power)


def gib(size: int) -> str:
    """Bytes for people: `4.5 GiB`, `12 MiB`."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 100 << 20 or not size else f"{size / (1 << 20):.0f} MiB"


def _padded(tokens: int) -> int:
    return -(-tokens // _STEP) * _STEP
