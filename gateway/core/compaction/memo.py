"""What replays remember of each other, so that a turn costs what is new in it. Forgetting costs time, never another result.

Law: a memo serves one way to size messages (one model); whoever serves several keeps one for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.compaction.replay import Replay


@dataclass(frozen=True, slots=True)
class Known:
    """A replay at the end of a request, before and after the decision that was taken there."""

    before: Replay
    after: Replay


@dataclass(slots=True)
class Memo:
    """The last `most` replays by chain hash, the longest unused forgotten first. Not for two threads at once."""

    most: int = 64
    _known: dict[bytes, Known] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, links: Sequence[bytes]) -> Known | None:
        """What is known of the longest beginning of the thread whose chain hashes are `links`."""
        for link in reversed(links):
            if known := self._known.pop(link, None):
                self._known[link] = known
                return known
        return None

    def keep(self, link: bytes, known: Known) -> None:
        self._known.pop(link, None)
        self._known[link] = known
        while len(self._known) > self.most:
            del self._known[next(iter(self._known))]
