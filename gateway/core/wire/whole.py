"""The parts of an ended turn, joined: what an answer that is sent in one piece says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One answer. Without a Stop among its parts it counts as cut: `length`."""

    text: str
    thought: str
    calls: Sequence[Call]
    usage: Usage
    did: tuple[str, ...]
    reason: StopReason


def whole_of(parts: Sequence[Part]) -> Whole:
    return Whole(
        text="".join(part.text for part in parts if isinstance(part, Text)),
        thought="".join(part.text for part in parts if isinstance(part, Reasoning)),
        calls=[part for part in parts if isinstance(part, Call)],
        usage=next((part for part in parts if isinstance(part, Usage)), Usage()),
        did=next((part.words for part in parts if isinstance(part, Did)), ()),
        reason=next((part.reason for part in parts if isinstance(part, Stop)), StopReason.LENGTH),
    )


def did_json(did: Sequence[str]) -> dict[str, object]:
    """What the gateway did, where it did something."""
    return {"holdfast": {"did": list(did)}} if did else {}
