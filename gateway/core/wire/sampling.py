"""Sampling settings, both ways: every format names them alike, but for the limit of the answer."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.conversation import Sampling
from gateway.core.wire.fields import Fields

NAMES = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "repeat_penalty",
)


def sampling_of(fields: Fields, *, max_tokens: int | None) -> Sampling:
    """The settings among `fields`, taken out of them."""
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        min_p=fields.number("min_p"),
        seed=fields.integer("seed"),
        presence_penalty=fields.number("presence_penalty"),
        frequency_penalty=fields.number("frequency_penalty"),
        repeat_penalty=fields.number("repeat_penalty"),
        stop=tuple(text for text in fields.texts("stop") if text),
        max_tokens=max_tokens,
    )


def options_sampling(options: Fields) -> Sampling:
    """The settings among Ollama's runner options, taken out of them."""
    most = options.integer("num_predict")  # 0, -1 and -2 are Ollama's "no limit"
    return sampling_of(options, max_tokens=most if most and most > 0 else None)


def completed(first: Sampling, second: Sampling) -> Sampling:
    """`first`, and `second` where it says nothing."""
    missing = (name for name in (*NAMES, "stop", "max_tokens") if getattr(first, name) in (None, ()))
    return replace(first, **{name: getattr(second, name) for name in missing})


def sampling_json(sampling: Sampling) -> dict[str, object]:
    """The settings that the client made, without the limit of the answer."""
    said: dict[str, object] = {name: value for name in NAMES if (value := getattr(sampling, name)) is not None}
    return said | {"stop": list(sampling.stop)} if sampling.stop else said
