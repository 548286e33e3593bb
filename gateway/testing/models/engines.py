"""How a server's engine reads text: where it cuts words apart and how it merges them, by generation and model. Not the gateway's own reading.

Two engines: llama.cpp, which goes by the pre-tokenizer that the model file names, and the one of its own that old Ollama has for
most architectures (0.24.0: fs/ggml OllamaEngineRequired, tokenizer/bytepairencoding.go, model/models/*/model.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import regex  # type: ignore[import-untyped]

from gateway.testing.models.merging import Leftmost, Toppled, Waiting


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """One way to read text. `cut` matches every character.

    `whole_words`: a word that is a token is not merged. `by_number`: special tokens are looked for by their ids, not the longest first.
    """

    cut: regex.Pattern[str]
    waiting: Callable[[], Waiting]
    whole_words: bool = False
    by_number: bool = False


_ENDINGS = r"'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
_LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_SIGNS_SLASHED = r" ?[^\s\p{L}\p{N}]+[\r\n/]*"
_BLANK = r"\s*[\r\n]+|\s+(?!\S)|\s+"


def _cased(upper: str, lower: str, ending: str = "") -> str:
    """A word by its case: lower after upper, or upper alone."""
    lead = r"[^\r\n\p{L}\p{N}]?"
    return f"{lead}{upper}*{lower}+{ending}|{lead}{upper}+{lower}*{ending}"


# Case as the models mean it, which Go knows; llama.cpp tells it apart in ASCII alone.
_GO_CASE = (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]")
_ASCII_CASE = (r"(?:(?=\p{L})[^a-z])", r"(?:(?=\p{L})[^A-Z])")

QWEN2 = f"{_ENDINGS}|{_LETTERS}|\\p{{N}}|{_SIGNS}|{_BLANK}"
_LLAMA3 = f"{_ENDINGS}|{_LETTERS}|\\p{{N}}{{1,3}}|{_SIGNS}|{_BLANK}"


def _tekken(case: tuple[str, str]) -> str:
    return f"{_cased(*case)}|\\p{{N}}|{_SIGNS_SLASHED}|{_BLANK}"


def _gpt4o(case: tuple[str, str]) -> str:
    return f"{_cased(*case, f'(?:{_ENDINGS})?')}|\\p{{N}}{{1,3}}|{_SIGNS_SLASHED}|{_BLANK}"


def _llama_cpp(cut: str, *, whole_words: bool = False) -> Engine:
    return Engine(regex.compile(cut), Leftmost, whole_words=whole_words)


def _go(cut: str) -> Engine:
    """Its \\s is five characters (regexp2 in RE2 mode)."""
    five = cut.replace(r"[^\s", r"[^\t\n\f\r ").replace(r"\S", r"[^\t\n\f\r ]").replace(r"\s", r"[\t\n\f\r ]")
    return Engine(regex.compile(five), Toppled, whole_words=True, by_number=True)


LLAMA_CPP: Mapping[str, Engine] = MappingProxyType(
    {
        "qwen2": _llama_cpp(QWEN2),
        "llama-bpe": (_by_threes := _llama_cpp(_LLAMA3, whole_words=True)),
        "glm4": _by_threes,
        "tekken": _llama_cpp(_tekken(_ASCII_CASE), whole_words=True),
        "gpt-4o": _llama_cpp(_gpt4o(_ASCII_CASE)),
    }
)
"""By `tokenizer.ggml.pre`."""

_GO_QWEN2 = _go(QWEN2)
OLD_OLLAMA: Mapping[str, Engine] = MappingProxyType(
    {
        "qwen3": _GO_QWEN2,
        "qwen3moe": _GO_QWEN2,
        "qwen35moe": _GO_QWEN2,
        "glm4moelite": _go(_LLAMA3),
        "gptoss": _go(_gpt4o(_GO_CASE)),
        "mistral3": _go(_tekken(_GO_CASE)),
    }
)
"""By architecture, of the families that are simulated; llama.cpp reads the others for old Ollama too.

It would read two more, were their files real: deepseek2's names another pre-tokenizer then, and gemma4's merges no bytes.
"""
