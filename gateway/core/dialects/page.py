"""The parts of an answer in the order in which they are found, and what the place behind them means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.core.dialects.line import Line, Stretch
from gateway.core.stream import Call, Part, Reasoning, Text, Unreadable


class Page:
    """Text, thoughts and calls so far. Blanks are held until it is known whether they are layout around the latter two.

    A call with raw values may be put down in doubt: it stands, and the text behind it with it, unless an argument's closer
    shows up there, which would mean that its value was not over.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.quiet = True  # nothing visible was said since the beginning, a thought or a call
        self.line = Line()
        self._layout = False  # whether blank lines that come first are dropped
        self._blanks: list[str] = []
        self._thinking = False  # whether the thought has begun to say something
        self._doubted: Call | Unreadable | None = None
        self._raw: list[str] = []  # the text of the call in doubt, and all behind it
        self._behind: list[str] = []  # what is visible of that
        self._refused: Unreadable | None = None  # a call that cannot be read, to which more text may belong
        self._aside: list[Call | Unreadable] | None = None  # calls that may turn out to be an example in the text

    @property
    def new_line(self) -> bool:
        """Nothing visible stands on this line yet."""
        return self.line.blank

    @property
    def in_doubt(self) -> bool:
        return self._doubted is not None

    def take(self) -> list[Part]:
        """The parts since the last time."""
        parts, self.parts = self.parts, []
        return parts

    def say(self, text: str) -> None:
        if not text:
            return
        if self.in_doubt:
            self._raw.append(text)
        self.line.say(text)
        if self.quiet:
            self._blanks.append(text)
            if text.isspace():
                return
            text = "".join(self._blanks)
            if self._layout:
                text = _without_blank_lines(text)
            self.quiet = False
        if self.in_doubt:
            self._behind.append(text)
        else:
            self.parts.append(Text(text))

    @property
    def flows(self) -> bool:
        """In the middle of visible text."""
        return not self.quiet and not self.in_doubt

    def flow(self, stretch: Stretch) -> Sequence[Part]:
        """More of it."""
        line = self.line
        if stretch.words:
            line.lead = None
        elif stretch.line:
            line.lead, line.code = stretch.line
        elif stretch.ticks or line.lead is not None:
            line.say(stretch.text)
        return stretch.parts

    def begin_thought(self) -> None:
        self.settle()
        self._blanks, self._thinking = [], False

    def think(self, text: str) -> None:
        """A piece of a thought, which goes out without the blanks around the whole of it."""
        body = text.strip() if not self._thinking else text.rstrip()
        if body:
            self.parts.append(Reasoning("".join(self._blanks) + body))
            self._blanks, self._thinking = [], True
        if self._thinking:
            self._blanks.append(text[len(text.rstrip()) :] if body else text)

    def end_thought(self) -> None:
        self._rest()
        self._layout = True

    def add(self, part: Call | Unreadable) -> None:
        if self._aside is not None:
            self._aside.append(part)
            return
        self.settle()
        if isinstance(part, Unreadable):
            self._refused = part
        else:
            self.parts.append(part)
        self._rest()

    def over(self, raw: str = "") -> None:
        """A call is over; of one that could not be read `raw` is the text, if there is more than it was thought to be."""
        if self._refused:
            self.parts.append(replace(self._refused, raw=raw or self._refused.raw))
            self._refused = None

    def take_over(self, parts: Iterable[Part]) -> None:
        """Take over parts that were read elsewhere."""
        self.settle()
        self.parts.extend(parts)
        self._rest()

    def set_aside(self) -> None:
        """Put the calls that come now aside, until it is known whether they are an example in the text."""
        self._aside = []

    def take_back(self, *, keep: bool) -> None:
        parts, self._aside = self._aside, None
        for part in parts if parts and keep else ():
            self.add(part)

    def doubt(self, part: Call | Unreadable) -> None:
        self.settle()
        self._doubted = part
        self._rest()

    def behind(self, raw: str) -> None:
        """`raw` is the text from the opener of the calls that were read to what comes next."""
        self._raw = [raw] if self.in_doubt else []

    def skip(self, mark: str) -> None:
        """A closer of nothing."""
        if self.in_doubt:
            self._raw.append(mark)
        self.mend("extra_closers")

    def mend(self, mend: str) -> None:
        """Name what was put right behind the call in doubt."""
        if isinstance(self._doubted, Call):
            self._doubted = replace(self._doubted, mends=tuple(dict.fromkeys((*self._doubted.mends, mend))))

    def settle(self) -> None:
        """The call in doubt stands."""
        if self._doubted:
            self.parts.append(self._doubted)
            self.parts.extend(map(Text, self._behind))
        self._doubted, self._behind, self._raw = None, [], []
        self.over()

    def retract(self, closer: str) -> None:
        """The call in doubt was not over: where its value ends cannot be told."""
        raw = "".join((*self._raw, closer))
        self._doubted, self._behind, self._raw = None, [], []
        self.add(Unreadable(raw, "an argument's text holds the markers that end a call"))
        self.over()

    def _rest(self) -> None:
        self.quiet = True
        self.line = Line()
        self._layout, self._blanks = False, []


def _without_blank_lines(text: str) -> str:
    """The text without the blank lines that it begins with."""
    return text[text[: len(text) - len(text.lstrip())].rfind("\n") + 1 :]
