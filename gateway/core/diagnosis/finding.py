"""A finding: what is wrong, about what, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad. A note is good to know and no reason for an exit status of 1."""

    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `code` is stable, scripts may rely on it; `lines` are right as they stand, to paste."""

    code: str
    severity: Severity
    about: str
    found: str
    change: str
    lines: tuple[str, ...] = ()
