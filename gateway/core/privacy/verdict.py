"""What the gate says of a conversation, and why: rule ids, counts and keyed hashes, fit for a log; never what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.policy.privacy import Label
from gateway.core.privacy.finding import Finding


class Step(StrEnum):
    """What a reason is about, in the order in which the gate asks."""

    SWITCH = "switch"
    CLIENT = "client"
    HEADER = "header"
    PATHS = "paths"
    TAINT = "taint"
    CONTENT = "content"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in words fit for a log. `about` is the path or the value meant: content, for the one who asked on this machine alone."""

    step: Step
    words: str
    about: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a conversation may leave, under which label, and why; the last reason is the one that decided.

    With `redact` it may only as `Gate.redacted` gives it. `taints` are the marks to keep, since what is private was found.
    """

    leaves: bool
    label: Label = "local"
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    redact: bool = False
    taints: frozenset[bytes] = frozenset()

    @property
    def why(self) -> str:
        """What decided, in words."""
        return self.reasons[-1].words if self.reasons else ""


def stays(step: Step, words: str) -> Verdict:
    """A verdict without a look at the content: it stays at home."""
    return Verdict(leaves=False, reasons=(Reason(step, words),))
