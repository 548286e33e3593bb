"""What each layer of a model keeps of its context, from `model_info` of `/api/show`. Law: what is not told is not guessed.

The tables are those of llama.cpp 0c1e570 (llama-hparams.cpp, llama-model.cpp, src/models/), which Ollama runs from v0.30 on,
and of Ollama v0.24 (model/models, kvcache/causal.go) where the old generation differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateway.core.memory import Context, NotKnown

Generation: TypeAlias = Literal["old", "new"]
_FLOAT = 4  # bytes; the state of recurrent layers is never quantised


@dataclass(frozen=True, slots=True)
class _Slides:
    """One layer in `every` sees the whole window, the last of each group or the `first`; `reach` where the file tells none."""

    every: int
    first: bool = False
    reach: int = 0

    def layers(self, blocks: int) -> list[bool]:
        whole = 0 if self.first else self.every - 1
        return [layer % self.every != whole for layer in range(blocks)]


_SLIDING: Mapping[str, _Slides] = MappingProxyType(
    {
        "afmoe": _Slides(4),
        "cohere2": _Slides(4),
        "cohere2moe": _Slides(4, first=True),
        "exaone-moe": _Slides(4, reach=128),
        "gemma2": _Slides(2, reach=4096),
        "gemma3": _Slides(6),
        "gemma3n": _Slides(5),
        "gpt-oss": _Slides(2),
        "gptoss": _Slides(2),
        "laguna": _Slides(4, first=True),
        "llama4": _Slides(4, reach=8192),
        "mellum": _Slides(4),
        "muse-glimmer": _Slides(4),
        "olmo2": _Slides(4),
        "olmo3": _Slides(4),
        "plamo3": _Slides(8),
        "smallthinker": _Slides(4, first=True, reach=4096),
    }
)
_UNREAD = frozenset({"llama", "mistral3", "phi3", "phimoe", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "starcoder2"})
"""A sliding window may stand in their files, but nobody reads it."""
_OLD_REACH = MappingProxyType({"gpt-oss": 4096, "gptoss": 4096, "gemma4": 4096})  # Ollama v0.24 keeps so much of them

_WITHOUT_HEADS = frozenset(
    {"granitehybrid", "jamba", "lfm2", "lfm2moe", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni", "plamo2"}
)
"""A layer without key heads is recurrent; in nemotron_h only if it has no feed-forward part either."""
_EVERY_FOURTH = frozenset({"qwen35", "qwen35moe", "qwen3next"})  # attends; or as `full_attention_interval` says
_ALL = frozenset({"mamba", "mamba2"})
_BOTH = frozenset({"falcon-h1"})  # every layer attends and is recurrent
_STRANGE = (
    "attention.indexer.key_length",
    "full_attention_interval",
    "kda.head_dim",
    "ssm.state_size",
    "wkv.head_size",
)
"""Signs of layers that keep something of their own; an architecture that has one must stand in a table above."""


def context_of(info: Mapping[str, object], *, generation: Generation = "new") -> Context | NotKnown:
    """What a model keeps. A list with a number for each layer is null there unless `verbose` was asked for: NotKnown then."""
    file = _File(info)
    if why := file.silence():
        return NotKnown(why)
    near, recurrent = file.near(), file.recurrent()
    if near is None or recurrent is None:
        missing = "have a sliding window" if near is None else "are recurrent"
        return NotKnown(f"which layers of the architecture {file.arch} {missing}")
    keeps = [
        0 if passing and file.arch not in _BOTH else heads * file.element(generation, near=slides)
        for heads, passing, slides in zip(file.key_heads(), recurrent, near, strict=True)
    ][: file.own]
    whole = [each for each, slides in zip(keeps, near, strict=False) if each and not slides]
    slide = [each for each, slides in zip(keeps, near, strict=False) if each and slides]
    return Context(
        whole=sum(whole),
        near=sum(slide),
        reach=_OLD_REACH.get(file.arch, file.reach) if generation == "old" else file.reach,
        state=sum(recurrent) * file.state(),
        whole_layers=len(whole),
        near_layers=len(slide),
        recurrent_layers=sum(recurrent),
    )


class _File:
    """The numbers of a model file that say what its layers keep."""

    def __init__(self, info: Mapping[str, object]) -> None:
        self._info = info
        self.arch = str(info.get("general.architecture") or "")
        self.blocks = self._number("block_count") - self._number("nextn_predict_layers")

    def silence(self) -> str:
        """What the file does not say although it must; "" where it says all."""
        if not self.arch or self.blocks <= 0:
            return "the numbers of its layers"
        needed = ["attention.head_count", "attention.head_count_kv", "attention.sliding_window_pattern"]
        if self._dense_alternate():
            needed.append("feed_forward_length")
        for key in needed:
            value = self._told(key)
            if value is None and self._has(key):
                return f"{key}, a list that the server keeps back"
            if isinstance(value, list) and len(value) < self.blocks:
                return f"{key}, which has {len(value)} numbers for {self.blocks} layers"
        if self.arch not in _ALL and not any(self._per_layer("attention.head_count")):
            return "attention.head_count"
        return "" if self._number("embedding_length") else "embedding_length"

    def near(self) -> list[bool] | None:
        """Which layers have a sliding window; None where that is not told."""
        told = self._told("attention.sliding_window_pattern")
        if isinstance(told, list):
            return [bool(each) for each in told[: self.blocks]]
        if not self.reach or self.arch in _UNREAD:
            return [False] * self.blocks
        pattern = _SLIDING.get(self.arch)
        if pattern is None:
            return None
        every = told if isinstance(told, int) and told > 0 else pattern.every
        return _Slides(every, pattern.first).layers(self.blocks)

    def recurrent(self) -> list[bool] | None:
        """Which layers are recurrent; None where that is not told."""
        told = self._told("attention.recurrent_layers")
        if isinstance(told, list):
            return [bool(each) for each in told[: self.blocks]]
        if self.arch in _WITHOUT_HEADS:
            parts = self._per_layer("feed_forward_length") if self._dense_alternate() else [0] * self.blocks
            return [not heads and not part for heads, part in zip(self.key_heads(), parts, strict=True)]
        if self.arch in _EVERY_FOURTH:
            every = self._number("full_attention_interval", 4)
            return [(layer + 1) % every != 0 for layer in range(self.blocks)]
        if self.arch in _ALL | _BOTH:
            return [True] * self.blocks
        return None if any(self._has(key) for key in _STRANGE) else [False] * self.blocks

    def key_heads(self) -> list[int]:
        """Heads of keys and values in each layer."""
        if self._latent():
            return [1] * self.blocks
        key = "attention.head_count_kv"
        heads = self._per_layer(key if self._has(key) else "attention.head_count")
        return [max(heads)] * self.blocks if self.arch in _EVERY_FOURTH else heads

    def element(self, generation: Generation, *, near: bool = False) -> int:
        """Elements of one key and one value of one head."""
        if self._latent():  # the value is a part of the key, which the old generation kept twice
            rank = self._number("attention.kv_lora_rank")
            return rank + self._number("rope.dimension_count") + (rank if generation == "old" else 0)
        usual = self._number("embedding_length") // max(1, self._per_layer("attention.head_count")[0])
        lengths = [self._number(f"attention.{part}_length", usual) for part in ("key", "value")]
        if near:
            lengths = [
                self._number(f"attention.{part}_length_swa", length)
                for part, length in zip(("key", "value"), lengths, strict=True)
            ]
        return sum(lengths)

    @property
    def reach(self) -> int:
        """Tokens that a layer with a sliding window sees; 0 for no such layers."""
        return self._number("attention.sliding_window", _SLIDING[self.arch].reach if self.arch in _SLIDING else 0)

    @property
    def own(self) -> int:
        """Layers, from the first, that keep keys and values of their own; those behind use theirs (gemma3n, gemma4)."""
        return self.blocks - self._number("attention.shared_kv_layers")

    def state(self) -> int:
        """Bytes that a recurrent layer keeps (n_embd_r and n_embd_s of llama-hparams.cpp)."""
        if kept := self._number("shortconv.l_cache"):
            return _FLOAT * self._number("embedding_length") * (kept - 1)
        inner, size = self._number("ssm.inner_size"), self._number("ssm.state_size")
        channels = inner + 2 * self._number("ssm.group_count") * size
        return _FLOAT * (max(0, self._number("ssm.conv_kernel") - 1) * channels + size * inner)

    def _latent(self) -> bool:
        """Whether it keeps one compressed key for all heads (MLA)."""
        return self._number("attention.key_length_mla") > 0 or self.arch == "glm4moelite"

    def _dense_alternate(self) -> bool:
        return self.arch.startswith("nemotron_h")

    def _has(self, key: str) -> bool:
        return f"{self.arch}.{key}" in self._info

    def _told(self, key: str) -> object:
        return self._info.get(f"{self.arch}.{key}")

    def _number(self, key: str, otherwise: int = 0) -> int:
        value = self._told(key)
        return value if isinstance(value, int) else otherwise

    def _per_layer(self, key: str) -> list[int]:
        value = self._told(key)
        if isinstance(value, list):
            return [each if isinstance(each, int) else 0 for each in value[: self.blocks]]
        return [self._number(key)] * self.blocks
