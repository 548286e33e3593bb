"""What compaction replaced and what retries discarded, so that it can be read back: in memory alone, bounded in size and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.core.kept import Discarded, Kept, Replaced
from gateway.core.wire.openai_messages import message_json

MOST = 64 << 20  # characters, of all requests together
FOR = 3600.0  # seconds


@dataclass(slots=True)
class _Shelf:
    since: float
    size: int = 0
    kept: list[Kept] = field(default_factory=list)


class Contents:
    """The contents by request; the oldest request gives way. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float], *, most: int = MOST, seconds: float = FOR) -> None:
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._size = 0
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()

    def keep(self, request: str, kept: Kept) -> None:
        """Put it with what is kept of that request. What is larger than all the room is not kept."""
        self._forget()
        if kept.size > self._most:
            return
        shelf = self._shelves.setdefault(request, _Shelf(self._clock()))
        shelf.kept.append(kept)
        shelf.size += kept.size
        self._size += kept.size
        while self._size > self._most:
            self._drop()

    def of(self, request: str) -> dict[str, object]:
        """Plain data: `replaced` messages with their places in the client's own list, `discarded` texts by attempt."""
        self._forget()
        shelf = self._shelves.get(request)
        kept = shelf.kept if shelf else []
        return {
            "replaced": [
                {"index": index, "message": message_json(message)}
                for each in kept
                if isinstance(each, Replaced)
                for index, message in each.messages
            ],
            "discarded": [
                {"attempt": each.attempt, "text": each.text, "reasoning": each.thought}
                for each in kept
                if isinstance(each, Discarded)
            ],
        }

    def _forget(self) -> None:
        until = self._clock() - self._seconds
        while self._shelves and next(iter(self._shelves.values())).since < until:
            self._drop()

    def _drop(self) -> None:
        _, shelf = self._shelves.popitem(last=False)
        self._size -= shelf.size
