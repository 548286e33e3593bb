"""The tokenizer keys of `model_info` in Ollama's `/api/show {"verbose": true}`, read once and typed; or why they can't be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import TypeVar

_PREFIX = "tokenizer.ggml."
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """No vocabulary can be made of this; `reason` is for people."""

    reason: str


class TokenType(IntEnum):
    """What a token is, by the numbers of GGUF."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A vocabulary as the model file has it. The sequences of tokens, types and scores run in step, by token id.

    `merges` holds pairs joined by a space, best first. None: the file does not say.
    """

    architecture: str
    model: str
    pre: str
    tokens: Sequence[str]
    types: Sequence[int]
    merges: Sequence[str] = ()
    scores: Sequence[float] = ()
    bos_id: int | None = None
    add_bos: bool | None = None
    add_eos: bool | None = None
    space_prefix: bool | None = None

    @property
    def bos(self) -> str:
        """The text of the token that begins a prompt, empty where there is none."""
        return self.tokens[self.bos_id] if self.bos_id is not None and self.bos_id < len(self.tokens) else ""


def tables(model_info: Mapping[str, object]) -> Tables | Unsupported:
    """Raises nothing: what is missing or of another shape is told in words."""
    model = _text(model_info, "model")
    if not model:
        return Unsupported("the server gives no tokenizer for this model (MLX and cloud models have none)")
    tokens = _list(model_info, "tokens", str)
    if not tokens:
        return Unsupported("the server left the tokens out: /api/show was asked without verbose")
    types = _list(model_info, "token_type", int) or [TokenType.NORMAL] * len(tokens)
    scores = _numbers(model_info, "scores")
    if len(types) != len(tokens) or (scores and len(scores) != len(tokens)):
        return Unsupported("tokens, types and scores are not of one length")
    architecture = model_info.get("general.architecture")
    return Tables(
        architecture=architecture if isinstance(architecture, str) else "",
        model=model,
        pre=_text(model_info, "pre"),
        tokens=tokens,
        types=types,
        merges=_list(model_info, "merges", str),
        scores=scores,
        bos_id=_whole(model_info, "bos_token_id"),
        add_bos=_flag(model_info, "add_bos_token"),
        add_eos=_flag(model_info, "add_eos_token"),
        space_prefix=_flag(model_info, "add_space_prefix"),
    )


def _text(model_info: Mapping[str, object], key: str) -> str:
    value = model_info.get(_PREFIX + key)
    return value if isinstance(value, str) else ""


def _whole(model_info: Mapping[str, object], key: str) -> int | None:
    value = model_info.get(_PREFIX + key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _flag(model_info: Mapping[str, object], key: str) -> bool | None:
    value = model_info.get(_PREFIX + key)
    return value if isinstance(value, bool) else None


def _numbers(model_info: Mapping[str, object], key: str) -> list[float]:
    value = model_info.get(_PREFIX + key)
    items = value if isinstance(value, list) else []
    numbers = [float(item) for item in items if isinstance(item, (int, float, Decimal))]
    return numbers if len(numbers) == len(items) else []


def _list(model_info: Mapping[str, object], key: str, kind: type[_Item]) -> list[_Item]:
    value = model_info.get(_PREFIX + key)
    return value if isinstance(value, list) and all(isinstance(item, kind) for item in value) else []
