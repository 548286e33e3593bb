"""What Ollama's own tool-call parsers make of a call: whole, cut, and with an unescaped character in a value.

Measured with Ollama v0.24.0 and v0.33.3, each parser fed by a model that speaks its dialect (tests/real/parsers_table.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateway.core.layers import Generation

Fate: TypeAlias = Literal["kept", "dropped", "error", "damaged"]


@dataclass(frozen=True, slots=True)
class Parser:
    """`cut`: the worst that becomes of a call that ends in its midst. `whole`: of one that is all there."""

    cut: Fate
    malformed: Fate
    whole: Fate = "kept"


_DROPS_OR_FAILS = Parser("dropped", "error")
_DROPS = Parser("dropped", "dropped")
_GLM = Parser("error", "damaged")
_GLM_OLD = Parser("dropped", "damaged")
_DAMAGES = Parser("damaged", "damaged")

_PARSERS = MappingProxyType(
    {
        "cogito": _DROPS,
        "cohere": _DROPS,
        "deepseek3": _DROPS,
        "functiongemma": Parser("dropped", "kept", whole="damaged"),
        "gemma4": Parser("damaged", "dropped"),
        "glimmer": Parser("error", "error"),
        "glm-4.7": _GLM,
        "glm-ocr": _GLM,
        "harmony": Parser("error", "error"),
        "laguna": _DAMAGES,
        "lfm2": Parser("dropped", "dropped", whole="damaged"),
        "lfm2-thinking": Parser("dropped", "dropped", whole="damaged"),
        "ministral": _DROPS_OR_FAILS,
        "nemotron-3-nano": _DROPS_OR_FAILS,
        "nemotron-3.5-nano": _DROPS_OR_FAILS,
        "olmo3": Parser("dropped", "kept"),
        "ornith": _DROPS_OR_FAILS,
        "poolside-v1": _DAMAGES,
        "qwen3": _DROPS_OR_FAILS,
        "qwen3-coder": _DROPS_OR_FAILS,
        "qwen3-thinking": _DROPS_OR_FAILS,
        "qwen3-vl-instruct": _DROPS_OR_FAILS,
        "qwen3-vl-thinking": _DROPS_OR_FAILS,
        "qwen3.5": _DROPS_OR_FAILS,
        "template": _DROPS,
    }
)


def parser_named(name: str, generation: Generation | None) -> Parser | None:
    """What was measured of a parser; None where nothing was."""
    if generation == "old" and name.startswith("glm"):
        return _GLM_OLD
    return _PARSERS.get(name)
