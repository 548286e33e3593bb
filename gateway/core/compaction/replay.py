"""Deterministic replay: a history is read again from its start, and at each request's boundary the same decisions are taken as back then.

Law: a decision depends on the messages before its boundary, the room and the rules, and on nothing else; so equal histories get
equal prompts, in any process, and between two compactions each prompt begins with the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.core.compaction.entries import Entry, Reader
from gateway.core.compaction.head import Draft, Head
from gateway.core.compaction.ledger import Ledger
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.stages import stages
from gateway.core.compaction.stages.newest import newest
from gateway.core.compaction.stages.scene import Scene
from gateway.core.compaction.summary import SummaryOf
from gateway.core.conversation import Message

DIGEST, NEWEST = "digest", "newest"
_WORTH = 16  # tokens that a change must save: each change costs the reading of all that follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The budget, what of it the frame takes (`base`), the rules, and how to size a message; all in tokens.

    Messages from the place `fence` on are not touched, if there is one.
    """

    budget: int
    base: int
    fence: int | None = None
    rules: CompactionRules
    size: Callable[[Message], int]
    summary_of: SummaryOf

    @property
    def seed(self) -> bytes:
        """All that decisions depend on beside the messages: what keeps the chains of different rooms apart."""
        return repr((self.budget, self.base, self.fence, self.rules)).encode()


@dataclass(slots=True, kw_only=True)
class Replay:
    """The thread after `read` messages: a head for the first `folded` of them, the others as they stand.

    `tokens` is the size of the whole prompt, `was` that of the thread as it came. `key` is the chain hash of the request of
    this epoch, sent after `keyed` messages, after which a summary was due.
    """

    room: Room
    tokens: int
    was: int = 0
    read: int = 0
    folded: int = 0
    epochs: int = 0
    checked: int = 0
    task: Entry | None = None
    head: Head | None = None
    live: list[Entry] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    reader: Reader = field(default_factory=Reader)
    key: str = ""
    keyed: int = 0
    summary: str = ""
    missed: tuple[str, ...] = ()

    def copy(self, room: Room) -> Replay:
        """The same, to go on from in an equal room."""
        return replace(self, room=room, live=list(self.live), reader=self.reader.copy())

    @staticmethod
    def start(room: Room) -> Replay:
        return Replay(room=room, tokens=room.base)

    def take(self, message: Message) -> None:
        """Read the next message of the thread."""
        entry = self.reader.entry(self.read, message, self.room.size(message))
        self.live.append(entry)
        if self.task is None and message.role == "user":
            self.task = entry
        self.tokens += entry.was
        self.was += entry.was
        self.read += 1

    def check(self, link: bytes) -> bool:
        """A request was sent from here, where the chain hash is `link`: compact if need be, and say whether anything was decided.

        A second check at the same place does nothing.
        """
        if self.checked == self.read:
            return False
        self.checked = self.read
        if self.tokens <= self._limit(self.room.rules.hi):
            return self._make_due(link)
        self.epochs += 1
        self._look_up_summary()
        target = self._limit(self.room.rules.lo)
        enough = (target + self._limit(self.room.rules.hi)) // 2
        for share in (self.room.rules.tail, self.room.rules.tail / 4, 0.0):
            old = self._old(share)
            self._touch(old, target)
            self._fold(old, target, enough)
            if self.tokens <= enough:
                return True
        self._cut_newest()
        return True

    def _limit(self, share: float) -> int:
        fixed = self.room.base + (self.task.was if self.task else 0)
        return fixed + int(share * max(0, self.room.budget - fixed))

    def _make_due(self, link: bytes) -> bool:
        """The first request that comes near the end of an epoch is the one after which its summary is made."""
        rules = self.room.rules
        if not rules.summary or self.key or self.tokens <= self._limit(rules.summary_from):
            return False
        self.key, self.keyed = link.hex(), self.read
        return True

    def _look_up_summary(self) -> None:
        """Take the summary that was made in this epoch; one that was not there in time is never taken."""
        if self.key:
            made = self.room.summary_of(self.key)
            self.summary = made or self.summary
            self.missed += () if made else (self.key,)
            self.key = ""

    def _old(self, share: float) -> int:
        """How many of the live messages are old: not in the newest blocks that fit the share, nor in the very last one."""
        left = int(share * max(0, self.room.budget - self.room.base))
        starts = block_starts(self.live)
        old = starts.pop() if starts else 0
        left -= sum(entry.tokens for entry in self.live[old:])
        for start in reversed(starts):
            left -= sum(entry.tokens for entry in self.live[start:old])
            if left < 0:
                break
            old = start
        return old if self.room.fence is None else min(old, max(0, self.room.fence - self.folded))

    def _touch(self, old: int, target: int) -> None:
        """Let the stages change old messages where they stand, until the prompt is down to `target`."""
        scene = Scene(live=self.live, old=old, latest=self._latest(), rules=self.room.rules)
        for name, stage in stages(self.room.rules):
            if self.tokens <= target:
                return
            for index, message in stage(scene):
                self._put(index, message, name)
                if self.tokens <= target:
                    return

    def _put(self, index: int, message: Message, stage: str) -> None:
        entry = self.live[index]
        tokens = self.room.size(message)
        if tokens + _WORTH <= entry.tokens:
            self.live[index] = entry.become(message, tokens, stage)
            self.tokens += tokens - entry.tokens

    def _latest(self) -> int:
        """The index of the latest user message among the live ones; -1 where none is."""
        return next((i for i in range(len(self.live) - 1, -1, -1) if self.live[i].source.role == "user"), -1)

    def _fold(self, old: int, target: int, enough: int) -> None:
        """Put the record in place of as few of the oldest turns as bring the prompt down to `target`; of all old ones if none does.

        Then the record is short enough to bring it down to `enough`, or takes half of what is left.
        """
        if not self.room.rules.digest or self.tokens <= target:
            return
        ledger, done = self.ledger.copy(), 0
        guess = self.head.tokens if self.head else 0
        rest = self.tokens - guess
        seams = self._seams(old)
        for seam in seams:
            ledger.absorb(self.live[done:seam])
            rest -= sum(entry.tokens for entry in self.live[done:seam])
            done = seam
            last = seam == seams[-1]
            if rest + guess > target and not last:
                continue
            most = max(enough, (rest + self._limit(self.room.rules.hi)) // 2) if last else rest + self.room.budget
            head = self._head(ledger, seam, most - rest)
            guess = head.tokens
            if rest + guess <= target or last:
                self._take_head(head, ledger, seam)
                return

    def _seams(self, old: int) -> list[int]:
        """Where the record may end: before an assistant's message; or at the end, if there is the user's latest, which it then holds."""
        seams = [i for i in range(1, min(old + 1, len(self.live))) if self.live[i].source.role == "assistant"]
        if self.room.fence is None and old == len(self.live) - 1 and self.live[old].source.role == "user":
            seams.append(len(self.live))
        return seams

    def _head(self, ledger: Ledger, seam: int, most: int) -> Head:
        """The head for what is folded up to `seam`: its record within its share and, as far as can be, itself within `most` tokens."""
        task = self.task if self.task and self.task.place < self.folded + seam else None
        latest = self._held(seam)
        draft = Draft(
            ledger=ledger,
            task=task,
            latest=None if latest is task else latest,
            summary=self.summary,
            size=self.room.size,
        )
        whole = sum(entry.was for entry in (draft.task, draft.latest) if entry)
        share = int(self.room.rules.digest_share * max(0, self.room.budget - self.room.base))
        return draft.head(min(share, most - whole))

    def _held(self, seam: int) -> Entry | None:
        """The latest user message, if it is folded with what is before `seam` or was so earlier."""
        latest = self._latest()
        if latest >= 0:
            return self.live[latest] if latest < seam else None
        return (self.head.latest or self.head.task) if self.head else None

    def _take_head(self, head: Head, ledger: Ledger, seam: int) -> None:
        before = sum(entry.tokens for entry in self.live[:seam]) + (self.head.tokens if self.head else 0)
        if head.tokens + _WORTH <= before:
            self.tokens += head.tokens - before
            self.folded += seam
            self.head, self.ledger = head, ledger
            del self.live[:seam]

    def _cut_newest(self) -> None:
        if not self.room.rules.newest or not self.live:
            return
        last = block_starts(self.live)[-1]
        scene = Scene(live=self.live, old=last, latest=self._latest(), rules=self.room.rules)
        for index, message in newest(scene):
            if self.tokens <= self.room.budget:
                return
            self._put(index, message, NEWEST)


def block_starts(live: list[Entry]) -> list[int]:
    """Where the blocks begin that stand or fall together: a call with its results, or one message."""
    return [i for i, entry in enumerate(live) if i == 0 or entry.source.role != "tool"]
