"""Where a conversation goes: which work is too heavy for this machine, and which targets it has, in order. Pure, each step with its reasons.

Law: to be heavy or to be asked for is no permission, and nothing that fails at home is one; only the gate's word lets anything out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.core.compaction.calls import call_deeds
from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.prose import acted, edited, is_output
from gateway.core.conversation import Message
from gateway.core.plan import Target
from gateway.core.policy.cloud import CloudRules, CloudTarget, HeavyRules
from gateway.core.spending import Caps, Spent, dollars, forbidden, most_tokens, worst_case

Wish: TypeAlias = Literal["heavy", "local"]
HEAVY = "heavy"  # the model name that asks for a role, not for a model
DEAD_FOR = 86_400.0  # seconds for which a model stays dead that its provider said it no longer has

# Aider 0.86: the message with the files that may be edited, each as its path and its fenced text.
_AIDERS_FILES = "I have *added these files to the chat*"
_FENCED_FILE = re.compile(r"^(?P<path>\S[^\n`]*)\n(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a conversation is for the machine. `seconds`: to read what no cache holds (None: not known); `patience`: of its client.

    `fits`: some window at home holds it, if need be compacted, or no window is known.
    """

    seconds: float | None = None
    patience: float | None = None
    fits: bool = True
    files: int = 0
    wish: Wish | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """The word of the privacy gate, and its reasons."""

    allowed: bool
    reasons: tuple[str, ...] = ()


NOT_ASKED = Permission(False, ("the privacy gate was not asked",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One target elsewhere: the most that it may cost (micro-dollars) and why it can't be had, "" where it can."""

    target: Target
    worst: int | None
    most: int
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The targets to try, in order, and why. `heavy` says why the work is heavy; of the `away` ones each needs its reservation."""

    targets: tuple[Target, ...]
    away: tuple[Target, ...] = ()
    heavy: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def kept_home(self) -> bool:
        """Whether heavy work stays although it is heavy: what the response's headers say."""
        return bool(self.heavy) and not self.away


def wish_of(model: str, header: str | None) -> Wish | None:
    """What the client asks for, by the model's name or the header `x-holdfast-route`; `local` anywhere wins."""
    said = (header or "").strip().lower()
    if said == "local":
        return "local"
    return "heavy" if said == HEAVY or model == HEAVY else None


def why_heavy(load: Load, rules: HeavyRules) -> tuple[str, ...]:
    """Why this is too heavy for the machine; () where it is not."""
    reasons = []
    patience = load.patience or rules.client_timeout
    if load.seconds is not None and load.seconds > rules.share_of_timeout * patience:
        reasons.append(f"reading the prompt takes {load.seconds:.0f} s, and its client waits {patience:.0f} s")
    if rules.beyond_window and not load.fits:
        reasons.append("the prompt fits no window at home")
    if rules.files and load.files >= rules.files:
        reasons.append(f"{load.files} files are being edited")
    if rules.on_request and load.wish == "heavy":
        reasons.append("the client asks for it")
    return tuple(reasons)


def asks_gate(rules: CloudRules, load: Load, heavy: Sequence[str], *, home_is_down: bool) -> bool:
    """Whether the gate's word would change anything: it reads the whole conversation, so that it is not asked for nothing."""
    return bool(rules.heavy) and load.wish != "local" and (bool(heavy) or (home_is_down and rules.when_home_is_down))


def offers(
    rules: CloudRules,
    *,
    prompt: int,
    margin: int,
    asked: int | None,
    dead: Mapping[Target, float],
    now: float,
    spent: Spent | None,
    caps: Caps,
    key: str,
) -> tuple[Offer, ...]:
    """The targets for heavy work, each with its price and what speaks against it. `asked` is the client's `max_tokens`.

    The key's own total is the ledger's to hold; `spent` is None where the ledger can't be read, which forbids everything.
    """
    return tuple(
        _offer(target_of(name), rules.targets.get(name), prompt=prompt, margin=margin, asked=asked)
        if (why := _against(name, rules, dead, now, spent, caps, key, prompt, margin, asked)) == ""
        else Offer(target=target_of(name), worst=None, most=0, why_not=why)
        for name in rules.heavy
    )
