"""What replays remember of each other, so that a turn costs what is new in it. Forgetting costs time, never another result.

Law: a memo serves one way to size messages (one model); whoever serves several keeps one for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.compaction.chain import Chained
from gateway.core.compaction.replay import Replay
from gateway.core.conversation import Message

_CHAINS = 8  # threads whose chains are remembered: about as many sessions as go on at once


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
    _chains: list[Chained] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._known)

    def chained(self, thread: Sequence[Message], seed: bytes) -> tuple[bytes, ...]:
        """The chain hashes of a thread; where it goes on from one before it, of what is new alone."""
        before = [chain for chain in self._chains if chain.seed == seed and chain.begins(thread)]
        longest = max(before, key=lambda chain: len(chain.links), default=None)
        if longest is not None:
            self._chains.remove(longest)
        grown = (longest or Chained.start(seed)).grown(thread)
        self._chains = [*self._chains[1 - _CHAINS :], grown]
        return grown.links

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
