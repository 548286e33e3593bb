"""The words for what an agent did: files read, changed, commands run. What recognises them stands in calls, shell and prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["read", "change", "run", "plan", "other"]


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a file, `first` to `last`; a last line that nobody named is infinity."""

    first: float = 1
    last: float = float("inf")

    def covers(self, other: Span) -> bool:
        return self.first <= other.first and other.last <= self.last


WHOLE = Span()


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done: to the file at `path`, or by the command line `command`; "" where there is none or it is not known.

    Of a plan, `command` is what it says.
    """

    kind: Kind
    path: str = ""
    span: Span = WHOLE
    command: str = ""

    @property
    def file(self) -> str:
        """The path in a form by which two mentions of a file are the same one."""
        return self.path.removeprefix("./")
