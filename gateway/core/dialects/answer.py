"""The steps through an answer: what is visible, what is thought, what is a call. Law: whatever the pieces, the same parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.core.conversation import ToolSpec
from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.garbled import GARBLED, Rest, closers_of, refuse_garbled, take_rest
from gateway.core.dialects.markers import FENCE, Candidate, Markers
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import Tokens, tokens
from gateway.core.dialects.trials import Block, Trials
from gateway.core.stream import Part

_TELLING = 4  # characters of a cut marker that are no ordinary text any more
_FENCE_ENDS = tuple(f"\n{' ' * indent}{FENCE}" for indent in range(16))  # that of a list's item is indented
_QUOTED_FENCE_ENDS = tuple(f"\n>{' ' * indent}{FENCE}" for indent in range(16))


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
        quoted: bool = False,
    ) -> None:
        self.scanner = Scanner()
        self.reading = Reading(self.scanner, tools)
        self._markers = markers
        self._tools = tools
        self._spoken = spoken
        self._call_at: int | None = None  # the offset of the opener behind which is read
        self._rest: Rest | None = None  # of a call that cannot be read
        self._stretch = False  # inside a thought or a fenced block
        self._flows = False  # in the middle of visible text: what is plain may follow at once
        self._quoted = quoted  # what is tried stands in such a stretch
        self._tried = () if trial else markers.marked  # what may begin a call even in there; no trial within a trial
        self._ordinary = () if trial else markers.ordinary  # the same for a line of a thought
        self._trials = Trials(self.reading, self.trial)
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
        return Answer(self._markers, self._tools, self._spoken, trial=True, quoted=self._stretch)

    @property
    def held(self) -> int | None:
        """The offset from which on the text may be a call; None where it certainly is none."""
        at = self._call_at if self._call_at is not None else self._trials.at
        if at is not None:
            return at
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
        elif mark.startswith(FENCE) and page.line.begins_block:
            quoted = not page.new_line and ">" in (page.line.lead or "")
            page.say(mark)
            yield from self._fence(quoted=quoted)
        elif mark in markers.inner and page.in_doubt:
            page.retract(mark)
        elif page.quiet and mark in markers.strays:
            page.skip(mark)
        elif mark in markers.control and mark in markers.strays:
            self.reading.unreadable(self.scanner.offset - len(mark), GARBLED)
            page.over()
        elif mark not in markers.noise:
            page.say(mark)

    def _call(self, mark: str) -> Steps[bool]:
        """Read the calls behind an opener at the cursor; False, with the cursor where it was: there are none."""
        candidates = [c for c in self._markers.candidates.get(mark, ()) if self._in_place(c.opener)]
        if not candidates:
            return False
        reading, scanner = self.reading, self.scanner
        reading.start = self._call_at = scanner.offset
        scanner.hold()
        scanner.at += len(mark)
        found = False
        reading.begin()
        candidate = yield from self._chosen(mark, candidates)
        if candidate:
            reading.opener = mark
            if self._spoken and candidate.dialect.read is not self._spoken.read:
                reading.mends = (*reading.mends, "other_dialect")
            found = yield from candidate.dialect.read(reading)
        rest = None if found else self._rest_of(mark)
        if found or rest or (yield from self._garbled(mark, candidates)):
            found = True
            closers = rest.closers if rest else closers_of([candidate] if candidate else candidates)
            self._rest = yield from take_rest(reading, closers, self._markers)
            reading.page.over()
            reading.page.behind(scanner.since(reading.start) if reading.page.in_doubt else "")
        else:
            scanner.rewind(reading.start)
        scanner.release()
        self._call_at = None
        return found

    def _garbled(self, mark: str, candidates: Sequence[Candidate]) -> Steps[bool]:
        """Whether what is no call was meant as one. Not in a thought or a fenced block, nor between backticks."""
        if self._quoted or self.reading.page.line.code:
            return False
        return (yield from refuse_garbled(self.reading, mark, candidates, self._markers.control))

    def _rest_of(self, mark: str) -> Rest | None:
        """Of what an opener that begins no call is still a part."""
        rest, reading = self._rest, self.reading
        if not rest or rest.at != reading.start:
            return None
        self.scanner.rewind(rest.at + len(mark))
        reading.unreadable(rest.at, GARBLED)
        return rest

    def _in_place(self, opener: Opener) -> bool:
        match opener.where:
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
            near = [opener for opener in own if len(opener.token) - len(rest) < _TELLING]
        else:
            every = self._markers.candidates.values() if len(rest) >= _TELLING else ()
            near = [candidate.opener for found in every for candidate in found]
        return any(opener.token.startswith(rest) and self._in_place(opener) for opener in near)

    # ---- stretches in which a marker is most likely only mentioned

    def _thought(self, ends: Tokens, label: str = "") -> Steps[None]:
        """A thought up to its end; a call in it counts only if the thought never ends."""
        page, scanner = self.reading.page, self.scanner
        self._stretch = True
        page.begin_thought()
        if label:
            yield from scanner.token(tokens(label))
        wanted = tokens(*self._tried, *self._ordinary, *ends.literals)
        block = Block(ends, page.think, "unclosed_thought")
        mark, new_line = "", True
        while mark not in ends.literals:
            before, mark = scanner.take(wanted)
            page.think(before)
            new_line = not before.rpartition("\n")[2].strip() and ("\n" in before or new_line)
            if not mark:
                yield from self._more_of(page.think)
            elif mark not in ends.literals and not (yield from self._thought_call(mark, block, new_line=new_line)):
                scanner.at += len(mark)
                page.think(mark)
                new_line = False
        scanner.at += len(mark)
        page.end_thought()
        self._stretch = False

    def _thought_call(self, mark: str, block: Block, *, new_line: bool) -> Steps[bool]:
        """What begins with a marker in a thought; an ordinary one counts on a line of its own only."""
        ordinary = mark not in self._tried
        if ordinary and not (new_line and not self._trials.spent):
            return False
        return (yield from self._trials.mention(block, ordinary=ordinary))

    def _fence(self, *, quoted: bool) -> Steps[None]:
        """A fenced block up to its closing fence, for which a call in it counts alike; `quoted`: behind a `>`."""
        page, scanner = self.reading.page, self.scanner
        inner = self._markers.inner if page.in_doubt else ()
        wanted = tokens(*self._tried, *inner, FENCE)
        ends = tokens(*_FENCE_ENDS, *(_QUOTED_FENCE_ENDS if quoted else ()))
        block = Block(ends, page.say, "unclosed_fence")
        self._stretch = opening = True
        said = False
        while self._stretch:
            before, mark = scanner.take(wanted)
            page.say(before)
            opening, said = opening and "\n" not in before, said or bool(before)
            if not mark:
                yield from self._more_of(page.say)
            elif mark in inner and page.in_doubt:
                scanner.at += len(mark)
                page.retract(mark)
                self._stretch = False
            elif mark == FENCE or not (yield from self._trials.mention(block)):
                closes = page.new_line or (quoted and page.line.quoted) or (opening and said)  # the last: a code span
                self._stretch = mark != FENCE or not closes
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
