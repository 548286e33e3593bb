"""Contents that a request's record can give back to its owner for a while: never in a log, never on a disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.conversation import Message


@dataclass(frozen=True, slots=True)
class Replaced:
    """Messages that compaction changed or took away, as they came, with their places in the client's list."""

    messages: tuple[tuple[int, Message], ...]

    @property
    def size(self) -> int:
        """Characters, roughly."""
        return sum(
            len(message.text) + len(message.thinking) + sum(len(call.arguments) for call in message.calls)
            for _, message in self.messages
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """What an attempt had made that no later one went on from."""

    attempt: int
    text: str
    thought: str

    @property
    def size(self) -> int:
        return len(self.text) + len(self.thought)


Kept: TypeAlias = Replaced | Discarded
