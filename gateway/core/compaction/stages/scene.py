"""What a stage sees: the thread as it stands, how much of it is old enough to be touched, and the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.compaction.entries import Entry, retold
from gateway.core.compaction.rules import CompactionRules
from gateway.core.conversation import Message

Change: TypeAlias = tuple[int, Message]  # the index in `Scene.live`, and the message that is to stand there


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`live[:old]` may be changed, the rest may only be looked at. `latest` is the index of the latest user message, or -1.

    The changes that a stage proposes are taken oldest first until the history is small enough; one that saves nothing is not taken.
    """

    live: Sequence[Entry]
    old: int
    latest: int
    rules: CompactionRules

    def outputs(self) -> Iterator[tuple[int, Entry]]:
        """The old outputs of tools, with their indices, but for one that is also the latest user message."""
        return ((i, entry) for i, entry in enumerate(self.live[: self.old]) if entry.output and i != self.latest)

    def retell(self, index: int, text: str) -> Change:
        """The change that puts `text` in place of an output's."""
        return index, retold(self.live[index].message, text)
