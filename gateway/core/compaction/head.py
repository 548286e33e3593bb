"""The message that stands for the folded turns: the task verbatim, the record of what followed, and the latest request if it is that old."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.core.compaction.digest import DETAILS, record
from gateway.core.compaction.entries import Entry
from gateway.core.compaction.ledger import Ledger
from gateway.core.conversation import Content, Message, Prose

_GAP = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The message, its tokens, and the entries of the user that it holds whole (`task` and `latest` may be the same or None)."""

    message: Message
    tokens: int
    task: Entry | None
    latest: Entry | None

    @property
    def verbatim(self) -> tuple[Entry, ...]:
        return tuple({entry.place: entry for entry in (self.task, self.latest) if entry}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a head is written from, as soon as it is known how long it may be."""

    ledger: Ledger
    task: Entry | None
    latest: Entry | None
    summary: str
    size: Callable[[Message], int]

    def head(self, tokens: int) -> Head:
        """The head whose record is at most `tokens` long, as far as one can be: the least is a line."""
        whole = [entry for entry in (self.task, self.latest) if entry]
        places = frozenset(entry.place for entry in whole)
        for head in self._heads(places):
            if head.tokens - sum(entry.was for entry in head.verbatim) <= tokens:
                return head
        return head

    def _heads(self, places: frozenset[int]) -> Iterator[Head]:
        for detail in DETAILS:
            text = record(self.ledger, detail, shown=places, summary=self.summary)
            message = self._message(text)
            yield Head(message=message, tokens=self.size(message), task=self.task, latest=self.latest)

    def _message(self, text: str) -> Message:
        before = self.task.source if self.task else None
        after = self.latest.source if self.latest and self.latest is not self.task else None
        content: tuple[Content, ...] = (Prose(text),)
        if before:
            content = joined(before.content, content)
        if after:
            content = joined(content, after.content)
        return Message(
            role="user", content=content, name=before.name if before else "", extra=before.extra if before else {}
        )


def joined(first: tuple[Content, ...], second: tuple[Content, ...]) -> tuple[Content, ...]:
    """The contents of two messages as those of one, with a blank line between; plain prose on both sides becomes one stretch."""
    match first, second:
        case (*before, Prose(above, extra)), (Prose(below, other), *after) if not extra and not other:
            return (*before, Prose(f"{above}{_GAP}{below}"), *after)
        case (), _:
            return second
        case _, (Prose(below, other), *after):
            return (*first, Prose(f"{_GAP}{below}", other), *after)
        case _:
            return (*first, *second)
