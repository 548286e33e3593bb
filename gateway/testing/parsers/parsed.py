"""What a parser of model output hands over, and how it tells a marker that may only have begun."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.testing.script import ToolUse


@dataclass(slots=True)
class Parsed:
    """What has become certain: new text, new thought, new calls."""

    content: str = ""
    thinking: str = ""
    calls: list[ToolUse] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.content or self.thinking or self.calls)


def overlap(text: str, marker: str) -> int:
    """How long an end of `text` is that begins `marker`."""
    return next((n for n in range(min(len(text), len(marker)), 0, -1) if text.endswith(marker[:n])), 0)
