"""Each dialect reads its samples as their goldens say, whatever the size of the pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.core.dialects import DIALECTS
from gateway.core.stream import Call, Part, Reasoning, Text, Unreadable

GOLDEN = Path(__file__).parents[2] / "golden" / "dialects"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model of a dialect wrote, how it ended, and the parts that it stands for."""

    dialect: str
    sample: str
    text: str
    end: str
    parts: list[list[str]]


SAMPLES = [
    Sample(dialect.name, **sample)
    for dialect in DIALECTS
    for sample in json.loads((GOLDEN / dialect.name / "samples.json").read_text(encoding="utf-8"))
]


def told(part: Part) -> list[str]:
    match part:
        case Text(text):
            return ["text", text]
        case Reasoning(text):
            return ["thought", text]
        case Unreadable(raw, reason):
            return ["unreadable", raw, reason]
        case Call():
            call = ["call", part.name, part.arguments, part.proof.value, *part.mends]
            return [*call, f"id={part.id}"] if part.id else call
        case _:
            raise AssertionError(part)


@pytest.mark.parametrize("size", [0, 1, 3, 7, 64])
@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{sample.dialect}: {sample.sample}" for sample in SAMPLES])
def test_sample(sample: Sample, size: int, read: Callable[..., list[Part]]) -> None:
    parts = read(sample.dialect, sample.text, size=size, end=sample.end)
    assert [told(part) for part in parts] == sample.parts


def test_every_dialect_has_its_samples() -> None:
    assert {folder.name for folder in GOLDEN.iterdir() if folder.is_dir()} == {dialect.name for dialect in DIALECTS}
