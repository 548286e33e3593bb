"""The steps through an answer: what is visible, what is thought, what is a call. Law: whatever the pieces, the same parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.core.conversation import ToolSpec
from gateway.core.dialects.dialect import Dialect, Where
from gateway.core.dialects.markers import FENCE, Candidate, Markers
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import Tokens, tokens
from gateway.core.stream import Call, Part, Reasoning, Text, Unreadable

_SLICE = 64  # characters at a time that a supposed call in a thought is tried with
_MOST_GARBLED = 1_000  # characters between the markers of a call that is none
_GARBLED = "there is no call between its markers"
_UNMISTAKABLE = re.compile(r"[|｜]|tool_call", re.IGNORECASE)
_TELLING = 4  # characters of a cut marker that are no ordinary text any more


class Answer:
    """One answer under way. `held` is the offset from which its text is undecided.

    `spoken` is the dialect that the model is known to speak; calls in another one are marked so.
    """

    def __init__(
        self,
        markers: Markers,
        tools: Sequence[ToolSpec],
        spoken: Dialect | None,
        *,
        thinking: bool = False,
        trial: bool = False,
    ) -> None:
        self.scanner = Scanner()
        self.reading = Reading(self.scanner, tools)
        self._markers = markers
        self._tools = tools
        self._spoken = spoken
        self._call_at: int | None = None  # the offset of the opener behind which is read
        self._stretch = False  # inside a thought or a fenced block
        self._flows = False  # in the middle of visible text: what is plain may follow at once
        self._tried = () if trial else markers.marked  # what may begin a call even in there; no trial within a trial
        self._run = self._answer(thinking=thinking)
        next(self._run)

    def feed(self, text: str) -> Sequence[Part]:
        if self._flows:
            scanner = self.scanner
            joined = scanner.text[scanner.at :] + text
            if stretch := self._markers.plain(joined):
                scanner.pass_over(joined, stretch.size)
                return self.reading.page.flow(stretch)
        return self.go_on() if self.scanner.feed(text) else ()

    def end(self, *, cut: bool) -> Sequence[Part]:
        self.scanner.end(cut=cut)
        return self.go_on()

    def go_on(self) -> Sequence[Part]:
        """Read what has come, give what is certain."""
        next(self._run, None)
        return self.reading.page.take()

    def trial(self) -> Answer:
        """The same for text that begins with the opener of what may be a call."""
        return Answer(self._markers, self._tools, self._spoken, trial=True)

    @property
    def held(self) -> int | None:
        """The offset from which on the text may be a call; None where it certainly is none."""
        if self._call_at is not None:
            return self._call_at
        return None if self._stretch else self.scanner.offset

    def _answer(self, *, thinking: bool) -> Steps[None]:
        try:
            if thinking:
                yield from self._thought(self._markers.thought_ends)
            while True:
                before, mark = self.scanner.take(self._markers.in_answer)
                self.reading.page.say(before)
                self._flows = not (mark or self.scanner.ended) and self.reading.page.flows
                yield from self._marked(mark) if mark else self.scanner.more()
        except Ended:
            self._finish()

    def _marked(self, mark: str) -> Steps[None]:
        """Decide what a marker means at the cursor."""
        page, markers = self.reading.page, self._markers
        if (yield from self._call(mark)):
            return
        self.scanner.at += len(mark)
        if mark in markers.thinks and page.new_line:
            think = markers.thinks[mark]
            yield from self._thought(tokens(think.closer), think.label)
        elif mark.startswith(FENCE) and page.new_line:
            page.say(mark)
            yield from self._fence()
        elif mark in markers.inner and page.in_doubt:
            page.retract(mark)
        elif page.quiet and mark in markers.strays:
            page.skip(mark)
        elif mark in markers.control and mark in markers.strays:
            self.reading.unreadable(self.scanner.offset - len(mark), _GARBLED)
        elif mark not in markers.noise:
            page.say(mark)

    def _call(self, mark: str) -> Steps[bool]:
        """Read the calls behind an opener at the cursor; False, with the cursor where it was: there are none."""
        candidates = [c for c in self._markers.candidates.get(mark, ()) if self._in_place(c)]
        if not candidates:
            return False
        reading, scanner = self.reading, self.scanner
        reading.start = self._call_at = scanner.offset
        scanner.hold()
        scanner.at += len(mark)
        found = False
        reading.mends = ()
        candidate = yield from self._chosen(mark, candidates)
        if candidate:
            reading.opener = mark
            if self._spoken and candidate.dialect.read is not self._spoken.read:
                reading.mends = (*reading.mends, "other_dialect")
            found = yield from candidate.dialect.read(reading)
        found = found or (yield from self._garbled(mark, candidates))
        if found:
            reading.page.behind(scanner.since(reading.start) if reading.page.in_doubt else "")
        else:
            scanner.rewind(reading.start)
        scanner.release()
        self._call_at = None
        return found

    def _garbled(self, mark: str, candidates: Sequence[Candidate]) -> Steps[bool]:
        """Whether what is no call was meant as one: its marker begins a line, and is soon closed or a token for nothing else."""
        scanner, reading = self.scanner, self.reading
        behind = reading.start + len(mark)
        if not reading.page.new_line or not _UNMISTAKABLE.search(mark):
            return False
        if closers := [closer for c in candidates if c.marked for closer in c.dialect.closers]:
            scanner.rewind(behind)
            try:
                inside = yield from scanner.short(tokens(*closers, mark), _MOST_GARBLED)
            except Ended:
                inside = None
            if inside and inside[1] != mark:
                reading.unreadable(reading.start, _GARBLED)
                return True
        if mark not in self._markers.control:
            return False
        if scanner.ended and scanner.cut:
            return reading.nameless(reading.start)
        scanner.rewind(behind)
        reading.unreadable(reading.start, _GARBLED)
        return True

    def _in_place(self, candidate: Candidate) -> bool:
        match candidate.opener.where:
            case Where.START:
                return self.reading.page.quiet
            case Where.LINE:
                return self.reading.page.new_line
            case Where.ANYWHERE:
                return True

    def _chosen(self, mark: str, candidates: Sequence[Candidate]) -> Steps[Candidate | None]:
        """The candidate that fits what follows the marker: one that names it before one that takes anything."""
        then = sorted({literal for candidate in candidates for literal in candidate.opener.then})
        open_ended = next((candidate for candidate in candidates if not candidate.opener.then), None)
        doubles = candidates[0].marked and mark not in then
        look = yield from self.scanner.look(tokens(*then, mark) if doubles else tokens(*then))
        if look.found == mark and doubles:
            self.reading.mends = ("doubled_tag",)
            self.scanner.at += look.end
            look = yield from self.scanner.look(tokens(*then))
        if not then:
            return open_ended
        if look.rest is not None:
            self._undecided(candidates)
            return None
        return next((c for c in candidates if look.found and look.found in c.opener.then), open_ended)

    def _undecided(self, candidates: Sequence[Candidate]) -> None:
        """The text ended right behind an opener. After a natural end a marker in the middle of a text is a mention."""
        if any(candidate.marked for candidate in candidates) and self.reading.nameless(self.reading.start):
            raise Ended

    def _finish(self) -> None:
        """The text is over: what was held as the possible beginning of a marker is decided now."""
        rest = self.scanner.text[self.scanner.at :]
        reading = self.reading
        if self.scanner.cut and self._begins(rest):
            reading.nameless(self.scanner.offset)
        elif not (reading.page.quiet and rest and any(m.startswith(rest) for m in self._markers.strays)):
            reading.page.say(rest)
        reading.page.settle()

    def _begins(self, rest: str) -> bool:
        """Whether a marker was cut. One that begins like a word must stand on a line of its own, and be nearly whole."""
        if rest[:1].isalnum():
            own = self._spoken.bare if self._spoken and self.reading.page.new_line else ()
            return any(opener.token.startswith(rest) and len(opener.token) - len(rest) < _TELLING for opener in own)
        return len(rest) >= _TELLING and any(marker.startswith(rest) for marker in self._markers.candidates)

    # ---- stretches in which a marker is most likely only mentioned

    def _thought(self, ends: Tokens, label: str = "") -> Steps[None]:
        """A thought up to its end; a call in it counts only if the thought never ends."""
        page, scanner = self.reading.page, self.scanner
        self._stretch = True
        page.begin_thought()
        if label:
            yield from scanner.token(tokens(label))
        wanted = tokens(*self._tried, *ends.literals)
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
        self._stretch = False

    def _fence(self) -> Steps[None]:
        """A fenced block up to its closing fence, for which a call in it counts alike."""
        page, scanner = self.reading.page, self.scanner
        inner = self._markers.inner if page.in_doubt else ()
        wanted = tokens(*self._tried, *inner, FENCE)
        self._stretch = True
        while self._stretch:
            before, mark = scanner.take(wanted)
            page.say(before)
            if not mark:
                yield from self._more_of(page.say)
            elif mark in inner and page.in_doubt:
                scanner.at += len(mark)
                page.retract(mark)
                self._stretch = False
            elif mark == FENCE or not (yield from self._mention(tokens("\n" + FENCE), page.say, "unclosed_fence")):
                self._stretch = mark != FENCE or not page.new_line
                scanner.at += len(mark)
                page.say(mark)

    def _more_of(self, tell: Callable[[str], None]) -> Steps[None]:
        """Wait for more of a stretch; at the text's end what was held belongs to it."""
        try:
            yield from self.scanner.more()
        except Ended:
            tell(self.scanner.text[self.scanner.at :])
            self.scanner.at = len(self.scanner.text)
            raise

    def _mention(self, ends: Tokens, tell: Callable[[str], None], mend: str) -> Steps[bool]:
        """Told as it is, up to the end of the stretch, if that comes; if the text ends first, it was a call.

        False, with the cursor where it was: it is not even the beginning of a call.
        """
        scanner, trial = self.scanner, self.trial()
        start = self._call_at = scanner.offset
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
            tell(scanner.since(start))
        except Ended:
            self._take_over(trial, found, tell, mend)
            raise
        finally:
            scanner.release()
            self._call_at = None
        return True

    def _take_over(self, trial: Answer, found: list[Part], tell: Callable[[str], None], mend: str) -> None:
        """The text ended in a stretch that was never closed: what the trial has read of it counts."""
        scanner = self.scanner
        rest = scanner.text[scanner.at :]
        scanner.at = len(scanner.text)
        found += [*trial.feed(rest), *trial.end(cut=scanner.cut)]
        if any(isinstance(part, Call | Unreadable) for part in found):
            self.reading.page.take_over(replace(p, mends=(mend, *p.mends)) if isinstance(p, Call) else p for p in found)
        else:
            tell(scanner.since(self._call_at or 0))
