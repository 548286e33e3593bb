"""What a detection rule is and what an engine finds with it. Data only: patterns are RE2 and are run by an adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Judge: TypeAlias = Literal["certain", "token", "mixed", "random", "assigned", "vendor", "password"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of thing that must not leave. What its pattern finds is a candidate, until the judge agrees.

    `pattern` is RE2 over ASCII; its group `value` (or `value2`, `value3`) is the exact secret, without one the whole match is.
    `check` names a check of checks.py, `entropy` is Shannon's, in bits a character, of the value at least.
    `judge` is how sceptical to be: `certain` whatever matches is one; `token` the form proves it, unless it stands in for one;
    `mixed` a machine may have made it; `random` nobody else could have; `assigned`, `vendor` and `password` weigh its name too. `allow` are patterns (of the standard library) for values that are harmless.
    `optional` rules hold only where policy asks for them, by id or kind. `common` ones match in most texts, so that asking
    whether they do saves nothing, or would multiply the work of asking for others with them.
    """

    id: str
    kind: str
    description: str
    pattern: str
    check: str = ""
    entropy: float = 0.0
    judge: Judge = "token"
    allow: tuple[re.Pattern[str], ...] = ()
    optional: bool = False
    common: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A match of a rule: where it lies and where in it the value lies, in characters."""

    rule: Rule
    start: int
    end: int
    value_start: int
    value_end: int


class Matcher(Protocol):
    """The compiled rules. Raises whatever breaks in it; whoever calls treats that as unknown, hence local."""

    def candidates(self, text: str) -> Sequence[Candidate]: ...


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no matcher, and why; without one nothing may go to a cloud."""

    reason: str


def token_pattern(token: str) -> str:
    """The pattern of a token that its own form gives away, wherever it stands as a word of its own."""
    return rf"\b(?P<value>{token})"
