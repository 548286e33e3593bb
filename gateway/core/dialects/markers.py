"""Which markers a reader looks for in an answer, and what each of them may mean there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Flag, auto

from gateway.core.dialects.dialect import Dialect, Opener, Think
from gateway.core.dialects.tokens import Tokens, tokens

FENCE = "```"


class Role(Flag):
    """What else than the beginning of a call a marker can be."""

    NONE = 0
    THINK = auto()
    THOUGHT_END = auto()
    CLOSER = auto()  # of a call or of a group of calls
    INNER = auto()  # the closer of an argument
    NOISE = auto()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An opener and whose it is; `marked`: its marker stands for nothing else."""

    opener: Opener
    dialect: Dialect
    marked: bool


class Markers:
    """The markers of one answer: those of the dialect first, then the unmistakable ones of all others.

    `names` are the declared tools'; without any there are no calls, only thoughts.

    `wanted` are looked for in the visible answer, `in_fence` in a fenced block of it, `in_thought` in a thought.
    """

    def __init__(self, speakers: Sequence[Dialect], others: Sequence[Dialect], names: Sequence[str]) -> None:
        self.candidates: dict[str, list[Candidate]] = {}
        self.roles: dict[str, Role] = {}
        self.thinks: dict[str, Think] = {}
        self._thoughts(others)
        if names:
            self._calls(speakers, others, names)
        for dialect in speakers:
            self._give(Role.NOISE, dialect.noise)
        marked = sorted(token for token, found in self.candidates.items() if any(c.marked for c in found))
        ends = sorted(think.closer for think in self.thinks.values())
        self.marked = frozenset(marked)
        self.wanted: Tokens = tokens(*sorted({*self.candidates, *self.roles, FENCE}))
        self.in_fence: Tokens = tokens(*marked, FENCE)
        self.in_thought: Tokens = tokens(*marked, *ends)
        self.thought_ends: Tokens = tokens(*ends)

    def _thoughts(self, dialects: Sequence[Dialect]) -> None:
        for dialect in dialects:
            for think in dialect.thinks:
                self.thinks.setdefault(think.opener, think)
                self._give(Role.THINK, (think.opener,))
                self._give(Role.THOUGHT_END, (think.closer,))

    def _calls(self, speakers: Sequence[Dialect], others: Sequence[Dialect], names: Sequence[str]) -> None:
        for dialect in speakers:
            for opener in (*dialect.bare, *_named(dialect, names)):
                self._add(Candidate(opener, dialect, marked=False))
        for dialect in (*speakers, *others):
            for opener in dialect.openers:
                self._add(Candidate(opener, dialect, marked=not opener.plain))
            self._give(Role.CLOSER, dialect.closers)
            self._give(Role.INNER, dialect.inner)

    def _add(self, candidate: Candidate) -> None:
        self.candidates.setdefault(candidate.opener.token, []).append(candidate)

    def _give(self, role: Role, literals: Sequence[str]) -> None:
        for literal in literals:
            self.roles[literal] = self.roles.get(literal, Role.NONE) | role


def _named(dialect: Dialect, names: Sequence[str]) -> Iterator[Opener]:
    for name in names:
        yield from dialect.named(name)
