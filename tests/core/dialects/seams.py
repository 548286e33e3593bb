"""The parts of an answer as a reader of it sees them: neighbouring pieces of text, and of thought, are one."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.stream import Part, Reasoning, Text


def seamless(parts: Sequence[Part]) -> list[Part]:
    """The parts without the seams between pieces of text, or of thought."""
    out: list[Part] = []
    for part in parts:
        last = out[-1] if out else None
        if isinstance(part, Text) and isinstance(last, Text):
            out[-1] = Text(last.text + part.text)
        elif isinstance(part, Reasoning) and isinstance(last, Reasoning):
            out[-1] = Reasoning(last.text + part.text)
        else:
            out.append(part)
    return out
