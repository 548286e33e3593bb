"""The message that stands for the folded turns: the task verbatim, the record of what followed, and the latest request if it is that old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.compaction.digest import DETAILS, bounds, least, record
from gateway.core.compaction.entries import Entry
from gateway.core.compaction.ledger import Ledger
from gateway.core.conversation import NOTHING, Content, Message, Prose

_GAP = "\n\n"
_CHARS = 6  # a token of a record is hardly ever longer: longer texts need not be sized, which costs milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The message, its tokens, and the entries of the user that it holds whole."""

    message: Message
    tokens: int
    task: Entry | None
    latest: Entry | None

    @property
    def whole(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in (self.task, self.latest) if entry)

    @property
    def record_tokens(self) -> int:
        return self.tokens - sum(entry.was for entry in self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a head is written from: `task` and `latest` are different entries, or None."""

    ledger: Ledger
    task: Entry | None
    latest: Entry | None
    summary: str
    size: Callable[[Message], int]

    def head(self, tokens: int) -> Head:
        """The head with the most telling record that is at most `tokens` long; the least record, a line, may be longer."""
        told = ((self.task, "(the task: above, whole)"), (self.latest, "(below, whole)"))
        whole = {entry.place: where for entry, where in told if entry}
        most = _CHARS * tokens
        for detail, bound in zip(DETAILS, bounds(self.ledger, whole=whole), strict=True):
            if bound > most:
                continue
            text = record(self.ledger, detail, whole=whole, summary=self.summary)
            if len(text) <= most:
                head = self._head(text)
                if head.record_tokens <= tokens:
                    return head
        return self._head(least(self.ledger, len(whole)))

    def _head(self, text: str) -> Head:
        message = self._message(text)
        return Head(message=message, tokens=self.size(message), task=self.task, latest=self.latest)

    def _message(self, text: str) -> Message:
        first = self.task.source if self.task else None
        content = joined(first.content if first else (), (Prose(text),))
        if self.latest:
            content = joined(content, self.latest.source.content)
        return Message(
            role="user", content=content, name=first.name if first else "", extra=first.extra if first else NOTHING
        )


def joined(above: tuple[Content, ...], below: tuple[Content, ...]) -> tuple[Content, ...]:
    """The contents of two messages as one, with a blank line between; plain prose on both sides becomes one stretch."""
    match above, below:
        case ((), only) | (only, ()):
            return only
        case ((*before, Prose(end, extra)), (Prose(start, other), *after)) if not extra and not other:
            return (*before, Prose(f"{end}{_GAP}{start}"), *after)
        case _, (Prose(start, other), *after):
            return (*above, Prose(f"{_GAP}{start}", other), *after)
        case _:
            return (*above, *below)
