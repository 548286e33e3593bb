"""Which markers are looked for in an answer, and what each of them may mean there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.line import Stretch
from gateway.core.dialects.tokens import tokens

FENCE = "```"
_TOKEN = 24  # characters of a piece that is likely to come again
_MOST_KNOWN = 4_000  # pieces, of some 250 bytes each
_CONTROL = re.compile(r"[|｜]|\[/?TOOL_CALLS\]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An opener and whose it is; `marked`: its marker stands for nothing else."""

    opener: Opener
    dialect: Dialect
    marked: bool


class Markers:
    """The markers of one answer.

    `speakers` are the dialects that the model may speak, of which every marker counts, though a tool's mere name only if
    there is one speaker; of `others` only the unmistakable ones do. `names` are the declared tools'. Without tools there
    are no calls: a dialect is left out, unless it is framed.
    """

    def __init__(self, speakers: Sequence[Dialect], others: Sequence[Dialect], names: Sequence[str]) -> None:
        heard = [*speakers, *others]
        calling = [dialect for dialect in heard if names or (dialect.framed and dialect in speakers)]
        own = [Candidate(opener, dialect, marked=False) for dialect in speakers for opener in _own(dialect, names)]
        common = [Candidate(opener, dialect, not opener.plain) for dialect in calling for opener in dialect.openers]
        if len(speakers) > 1:  # none of which is known to be right, so that the unmistakable comes first
            own = [candidate for candidate in own if candidate.opener.token not in names]
        self.candidates: dict[str, list[Candidate]] = {}
        for candidate in (*own, *common) if len(speakers) == 1 else (*common, *own):
            self.candidates.setdefault(candidate.opener.token, []).append(candidate)
        self.thinks = {think.opener: think for dialect in reversed(heard) for think in dialect.thinks}
        self.noise = frozenset(mark for dialect in speakers for mark in dialect.noise)
        self.inner = frozenset(mark for dialect in calling for mark in dialect.inner)
        closers = frozenset(mark for dialect in calling for mark in dialect.closers)
        ends = frozenset(think.closer for think in self.thinks.values())
        self.control = _control(speakers[0]) if names and len(speakers) == 1 else frozenset()
        """Tokens of the one dialect spoken that stand for nothing else."""
        self.strays = self.inner | closers | ends
        """What closes nothing at the beginning of an answer, or behind a call."""
        tags = [c.opener for c in own if len(speakers) == 1 and c.opener.token.startswith("<")]
        self.marked = tuple(
            mark for mark, found in self.candidates.items() if any(c.marked or c.opener in tags for c in found)
        )
        self.stops = (*self.marked, *(_stops(speakers[0], names) if len(speakers) == 1 else ()))
        """Where what cannot be read may be over, since a call may begin there."""
        ordinary = {opener.token for dialect in heard for opener in (*dialect.openers, *dialect.bare)}.difference(
            self.marked
        )
        self.ordinary = tuple(ordinary.intersection(self.candidates))
        """Openers that are ordinary text as well, the mere names of tools left out."""
        self.in_answer = tokens(*self.candidates, *self.thinks, *self.strays, *self.noise, FENCE)
        self.thought_ends = tokens(*ends)
        self._in_text = tokens(*self._anywhere(), *self.thinks, *(self.strays & self.control), *self.noise, FENCE)
        """What means something in the middle of visible text."""
        self._plain: dict[str, Stretch | None] = {}

    def _anywhere(self) -> Iterator[str]:
        """The openers that count behind visible text."""
        for mark, found in self.candidates.items():
            if any(candidate.opener.where is not Where.START for candidate in found):
                yield mark

    def plain(self, text: str) -> Stretch | None:
        """What of a text, in the middle of visible text, is certainly before any marker; None where one stands in it.

        Models say the same tokens over and over, so that this is remembered.
        """
        if text in self._plain:
            return self._plain[text]
        size, mark = self._in_text.first(text, 0, ended=False)
        stretch = None if mark else Stretch.of(text[:size])
        if len(text) <= _TOKEN and len(self._plain) < _MOST_KNOWN:
            self._plain[text] = stretch
        return stretch


def _control(dialect: Dialect) -> frozenset[str]:
    """The control tokens around calls, where there are two: what Llama writes behind its only one may be code."""
    marks = {*(opener.token for opener in dialect.openers), *dialect.closers} - set(dialect.noise)
    return frozenset(filter(_CONTROL.search, marks)) if dialect.closers else frozenset()


def _stops(dialect: Dialect, names: Sequence[str]) -> Iterator[str]:
    """The openers of a dialect that is spoken, without those that begin an answer, and mere names."""
    for opener in _own(dialect, names):
        if opener.where is not Where.START and (opener in dialect.bare or not opener.token[0].isalnum()):
            yield opener.token


def _own(dialect: Dialect, names: Sequence[str]) -> Iterator[Opener]:
    """The openers that count only from a model of the dialect."""
    if names:
        yield from dialect.bare
    for name in names:
        yield from dialect.named(name)
