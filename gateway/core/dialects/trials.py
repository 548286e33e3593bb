"""A call in a thought or a fenced block, where most are only mentioned: told as it is, and tried meanwhile as what it may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tokens import Tokens
from gateway.core.stream import Call, Part, Proof, Reasoning, Text, Unreadable

_SLICE = 64  # characters at a time that are tried, counted from the marker on, so that the pieces do not matter
_LONG = 500  # characters of a thought that were tried as a call which they turned out not to be
_MOST_LONG = 8


class Trial(Protocol):
    """An answer that begins with what is tried."""

    def feed(self, text: str) -> Sequence[Part]: ...

    def end(self, *, cut: bool) -> Sequence[Part]: ...


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch in which a marker is most likely only mentioned: up to one of `ends`, told by `tell`; `mend` names
    a call in one that never ends.
    """

    ends: Tokens
    tell: Callable[[str], None]
    mend: str


class Trials:
    """The trials of one answer. `at` is the offset of what is tried now, where that is no ordinary text as well."""

    def __init__(self, reading: Reading, begin: Callable[[], Trial]) -> None:
        self.at: int | None = None
        self._reading = reading
        self._begin = begin
        self._long = 0

    @property
    def spent(self) -> bool:
        """Whether too much of ordinary text was tried to go on with that, so that the work stays linear."""
        return self._long >= _MOST_LONG

    def mention(self, block: Block, *, ordinary: bool = False) -> Steps[bool]:
        """Told as it is, up to the end of the stretch, if that comes; if the text ends first, it was a call.

        False, with the cursor where it was: it is not even the beginning of a call. What is `ordinary` text as well is one
        only if nothing follows it.
        """
        scanner = self._reading.scanner
        start = scanner.offset
        self.at = None if ordinary else start
        scanner.hold()
        trial = self._begin()
        found: list[Part] = []
        try:
            end = yield from self._tried(trial, found, block.ends, ordinary=ordinary)
            if end is None:
                scanner.rewind(start)
                return False
            if not end:
                found += trial.end(cut=scanner.cut)
            if not end and self._counts(found, ordinary=ordinary):
                self._take_over(found, block.mend)
            else:
                block.tell(scanner.since(start))
            return True
        finally:
            scanner.release()
            self.at = None

    def _tried(self, trial: Trial, found: list[Part], ends: Tokens, *, ordinary: bool) -> Steps[str | None]:
        """Put what is tried through the trial; give the end of the stretch, "" for that of the text. None: it is text."""
        scanner = self._reading.scanner
        waiting, tried = "", 0
        while True:
            text, mark = scanner.take(ends)
            over = scanner.ended and not mark
            if over:
                text += scanner.text[scanner.at :]
                scanner.at = len(scanner.text)
            waiting += text
            ready = len(waiting) if over else len(waiting) - len(waiting) % _SLICE
            for at in range(0, ready, _SLICE):
                found += trial.feed(waiting[at : at + _SLICE])
                tried += _SLICE
                if any(isinstance(part, Text | Reasoning) for part in (found if ordinary else found[:1])):
                    self._long += ordinary and tried > _LONG
                    return None
            if over or mark:
                return mark
            waiting = waiting[ready:]
            yield from scanner.more()

    def _counts(self, found: list[Part], *, ordinary: bool) -> bool:
        """Whether what the trial has read counts, the text having ended in a stretch that was never closed."""
        if not ordinary:
            return any(isinstance(part, Call | Unreadable) for part in found)
        whole = [isinstance(part, Call) and part.proof is Proof.COMPLETE for part in found]
        return bool(whole) and all(whole) and not self._reading.scanner.cut

    def _take_over(self, found: list[Part], mend: str) -> None:
        page = self._reading.page
        page.take_over(replace(p, mends=(mend, *p.mends)) if isinstance(p, Call) else p for p in found)
