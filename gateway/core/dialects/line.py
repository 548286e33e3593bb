"""The line of visible text under way: what stands before a marker on it tells what the marker means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.stream import Text

_BLANKS = re.compile(r"\s+")
_TICKS = re.compile(r"`+")
# What lists and quotes put first, or the beginning of it; and what holds none of these marks.
_LEAD = re.compile(r"(?:>|(?:[-*+]|\d{1,3}[.)])(?: |$)| ){0,12}\d{0,3}")
_WORDS = re.compile(r"[^\s\d>*+.)-]")


class Line:
    """The line under way, as far as it tells what a marker on it means.

    `lead` is what stands on it while that is only blanks and the marks of lists and quotes, None once more is said; `code`
    are the backticks of a code span that is open.
    """

    __slots__ = ("code", "lead")

    def __init__(self) -> None:
        self.lead: str | None = ""
        self.code = ""

    @property
    def blank(self) -> bool:
        return self.lead is not None and not self.lead.strip()

    @property
    def quoted(self) -> bool:
        """Nothing but the marks of quotes."""
        return self.lead is not None and not self.lead.strip(" >")

    @property
    def begins_block(self) -> bool:
        """Whether a fence here would be one."""
        return self.lead is not None and self.lead[-1:] in ("", " ", ">")

    def say(self, text: str) -> None:
        _, line_end, last = text.rpartition("\n")
        if line_end:
            self.lead, self.code = "", ""
        if self.lead is not None:
            lead = _BLANKS.sub(" ", self.lead + last)
            self.lead = lead if _LEAD.fullmatch(lead) else None
        for ticks in _TICKS.findall(last):
            self.code = ticks if not self.code else "" if self.code == ticks else self.code


@dataclass(frozen=True, slots=True)
class Stretch:
    """Visible text without any marker, its characters counted, and what it makes of the line under way.

    `words`: it goes on, by more than marks; `line`: another one is begun, with this `lead` and `code`; `ticks` are in it.
    """

    parts: tuple[Text, ...]
    text: str
    size: int
    words: bool
    line: tuple[str | None, str] | None
    ticks: bool

    @classmethod
    def of(cls, text: str) -> Stretch:
        parts, ends, ticks = (Text(text),) if text else (), "\n" in text, "`" in text
        behind = Line()
        behind.say(text)
        return cls(
            parts=parts,
            text=text,
            size=len(text),
            words=not (ends or ticks) and _WORDS.search(text) is not None,
            line=(behind.lead, behind.code) if ends else None,
            ticks=ticks,
        )
