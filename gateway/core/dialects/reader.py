"""Reads a model's raw text: what is visible, what is thought, what is a call. Law: whatever the pieces, the same parts.

A call comes out when it is certain. What a piece may still turn into is held; nothing visible is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.core.conversation import ToolSpec
from gateway.core.dialects.dialect import Dialect, Where
from gateway.core.dialects.markers import FENCE, Candidate, Markers, Role
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.registry import AUTOMATIC, DIALECTS
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import Tokens, tokens
from gateway.core.stream import Call, Part, Proof, Reasoning, Text, Unreadable

_SLICE = 64  # characters at a time that a supposed call in a thought is tried with
_TELLING = 4  # characters of a cut marker that are no ordinary text any more


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that has begun: its name if that is known, the offset of its opener in the text fed, its proof so far."""

    name: str
    offset: int
    proof: Proof


@lru_cache(maxsize=64)
def _markers(dialect: Dialect, names: tuple[str, ...]) -> Markers:
    """The same for every answer to a client, whose tools stay the same."""
    return Markers(DIALECTS if dialect is AUTOMATIC else (dialect,), DIALECTS, names)


class ToolReader:
    """A stage from a model's raw text to parts.

    `thinking`: the template has opened a thought already. `close` is for the model's own end, `cut` for every other one;
    after either the reader is spent. Until then it may be fed on, also across a seam.
    """

    def __init__(self, dialect: Dialect, tools: Sequence[ToolSpec], *, thinking: bool = False) -> None:
        self._dialect = dialect
        self._tools = tools
        self._markers = _markers(dialect, tuple(tool.name for tool in tools))
        self._scanner = Scanner()
        self._reading = Reading(self._scanner, tools)
        self._held = -1  # the offset from which text is undecided; -1: only what the scanner still has
        self._run = self._answer(thinking=thinking)
        next(self._run)

    def feed(self, text: str) -> Sequence[Part]:
        """Take the next piece, give what is certain now."""
        return self._go_on() if self._scanner.feed(text) else ()

    def close(self) -> Sequence[Part]:
        """The model ended its answer itself."""
        self._scanner.end(cut=False)
        return self._go_on()

    def cut(self) -> Sequence[Part]:
        """The answer was cut: by its length, a crash, a missing end."""
        self._scanner.end(cut=True)
        return self._go_on()

    @property
    def open_call(self) -> OpenCall | None:
        """The call that is half open now, judged as if the text ended here."""
        start = self._held if self._held >= 0 else self._scanner.offset
        trial = ToolReader(self._dialect, self._tools)
        trial.feed(self._scanner.unread(start))
        last = [*trial.cut()][-1:]
        if last and isinstance(last[0], Call) and last[0].proof is not Proof.COMPLETE:
            return OpenCall(last[0].name, start + trial._reading.cut_at, last[0].proof)
        return None

    @property
    def looked(self) -> int:
        """Characters looked at so far: the measure of work, which grows with the text and no faster."""
        return self._scanner.looked

    def _go_on(self) -> Sequence[Part]:
        next(self._run, None)
        return self._reading.page.take()

    # ---- the answer

    def _answer(self, *, thinking: bool) -> Steps[None]:
        try:
            if thinking:
                yield from self._thought(self._markers.thought_ends)
            while True:
                before, mark = self._scanner.take(self._markers.wanted)
                self._reading.page.say(before)
                yield from self._marked(mark) if mark else self._scanner.more()
        except Ended:
            self._finish()

    def _marked(self, mark: str) -> Steps[None]:
        """Decide what a marker means at the cursor."""
        reading, role = self._reading, self._markers.roles.get(mark, Role.NONE)
        if (yield from self._call(mark)):
            return
        self._scanner.at += len(mark)
        if Role.THINK in role and (reading.page.quiet or reading.page.new_line):
            think = self._markers.thinks[mark]
            yield from self._thought(tokens(think.closer), think.label)
        elif mark.startswith(FENCE) and reading.page.new_line:
            reading.page.say(mark)
            yield from self._fence()
        elif Role.INNER in role and reading.page.in_doubt:
            reading.page.retract(mark)
        elif not (Role.NOISE in role or (reading.page.quiet and role)):
            reading.page.say(mark)

    def _call(self, mark: str) -> Steps[bool]:
        """Read the calls behind an opener at the cursor; False, with the cursor where it was: there are none."""
        candidates = [c for c in self._markers.candidates.get(mark, ()) if self._in_place(c)]
        if not candidates:
            return False
        reading, scanner = self._reading, self._scanner
        reading.start = self._held = scanner.offset
        scanner.hold()
        scanner.at += len(mark)
        found = False
        reading.mends = ()
        candidate = yield from self._chosen(mark, candidates)
        if candidate:
            reading.opener = mark
            if self._dialect is not AUTOMATIC and candidate.dialect.read is not self._dialect.read:
                reading.mends = (*reading.mends, "other_dialect")
            found = yield from candidate.dialect.read(reading, mark)
        if not found:
            scanner.rewind(self._held)
        scanner.release()
        self._held = -1
        return found

    def _in_place(self, candidate: Candidate) -> bool:
        match candidate.opener.where:
            case Where.START:
                return self._reading.page.quiet
            case Where.LINE:
                return self._reading.page.new_line
            case Where.ANYWHERE:
                return True

    def _chosen(self, mark: str, candidates: Sequence[Candidate]) -> Steps[Candidate | None]:
        """The candidate that fits what follows the marker: one that names it before one that takes anything."""
        then = sorted({literal for candidate in candidates for literal in candidate.opener.then})
        open_ended = next((candidate for candidate in candidates if not candidate.opener.then), None)
        if not then:
            return open_ended
        look = yield from self._scanner.look(tokens(*then, mark))
        while look.found == mark and mark not in then:
            self._reading.mends = ("doubled_tag",)
            self._scanner.at += look.end
            look = yield from self._scanner.look(tokens(*then, mark))
        if look.rest is not None:
            self._undecided(candidates)
            return None
        return next((c for c in candidates if look.found and look.found in c.opener.then), open_ended)

    def _undecided(self, candidates: Sequence[Candidate]) -> None:
        """The text ended right behind an opener. After a natural end a marker in the middle of a text is a mention."""
        if any(candidate.marked for candidate in candidates) and self._reading.nameless(self._reading.start):
            raise Ended

    def _finish(self) -> None:
        """The text is over: what was held as the possible beginning of a marker is decided now."""
        rest = self._scanner.text[self._scanner.at :]
        reading = self._reading
        if self._scanner.cut and len(rest) >= _TELLING and not rest[0].isalnum() and self._begins(rest):
            reading.nameless(self._scanner.offset)
        elif not (reading.page.quiet and rest and any(m.startswith(rest) for m in self._markers.roles)):
            reading.page.say(rest)
        reading.page.settle()

    def _begins(self, rest: str) -> bool:
        return any(marker.startswith(rest) for marker in self._markers.candidates)

    # ---- stretches in which a marker is most likely only mentioned

    def _thought(self, ends: Tokens, label: str = "") -> Steps[None]:
        """A thought up to its end; a call in it counts only if the thought never ends."""
        page, scanner = self._reading.page, self._scanner
        page.begin_thought()
        if label:
            yield from scanner.token(tokens(label))
        wanted = tokens(*sorted(self._markers.marked), *ends.literals)
        mark = ""
        while mark not in ends.literals:
            before, mark = scanner.take(wanted)
            page.think(before)
            if not mark:
                yield from self._more_of(page.think)
            elif mark not in ends.literals and not (yield from self._mention(ends, page.think, "unclosed_thought")):
                scanner.at += len(mark)
                page.think(mark)
        scanner.at += len(mark)
        page.end_thought()

    def _fence(self) -> Steps[None]:
        """A fenced block up to its closing fence, for which a call in it counts alike."""
        page, scanner = self._reading.page, self._scanner
        while True:
            before, mark = scanner.take(self._markers.in_fence)
            page.say(before)
            if not mark:
                yield from self._more_of(page.say)
            elif mark == FENCE or not (yield from self._mention(tokens("\n" + FENCE), page.say, "unclosed_fence")):
                closing = mark == FENCE and page.new_line
                scanner.at += len(mark)
                page.say(mark)
                if closing:
                    return

    def _more_of(self, tell: Callable[[str], None]) -> Steps[None]:
        """Wait for more of a stretch; at the text's end what was held belongs to it."""
        try:
            yield from self._scanner.more()
        except Ended:
            tell(self._scanner.text[self._scanner.at :])
            self._scanner.at = len(self._scanner.text)
            raise

    def _mention(self, ends: Tokens, tell: Callable[[str], None], mend: str) -> Steps[bool]:
        """Told as it is, up to the end of the stretch, if that comes; if the text ends first, it was a call.

        False, with the cursor where it was: it is not even the beginning of a call.
        """
        scanner, trial = self._scanner, ToolReader(self._dialect, self._tools)
        start = self._held = scanner.offset
        scanner.hold()
        found: list[Part] = []
        mark = ""
        try:
            while not mark:
                text, mark = scanner.take(ends)
                for at in range(0, len(text), _SLICE):
                    found += trial.feed(text[at : at + _SLICE])
                    if found and isinstance(found[0], Text | Reasoning):
                        scanner.rewind(start)
                        return False
                if not mark:
                    yield from scanner.more()
        except Ended:
            self._take_over(trial, found, tell, mend)
            raise
        finally:
            self._held = -1
        tell(scanner.since(start))
        scanner.release()
        return True

    def _take_over(self, trial: ToolReader, found: list[Part], tell: Callable[[str], None], mend: str) -> None:
        """The text ended in a stretch that was never closed: what the trial has read of it counts."""
        scanner, page = self._scanner, self._reading.page
        rest = scanner.text[scanner.at :]
        scanner.at = len(scanner.text)
        found += [*trial.feed(rest), *(trial.cut() if scanner.cut else trial.close())]
        if not any(isinstance(part, Call | Unreadable) for part in found):
            tell(scanner.since(self._held))
            return
        page.settle()
        for part in found:
            page.parts.append(replace(part, mends=(mend, *part.mends)) if isinstance(part, Call) else part)
        page.end_thought()
