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
from gateway.core.spending import Purse, dollars, most_tokens, worst_case

Wish: TypeAlias = Literal["heavy", "local"]
HEAVY = "heavy"  # the model name that asks for a role, not for a model
DEAD_FOR = 86_400.0  # seconds for which a model stays dead that its provider said it no longer has

# Aider 0.86: the message with the files that may be edited, each as its path and its fenced text.
_AIDERS_FILES = "I have *added these files to the chat*"
_FENCED_FILE = re.compile(
    r"^(?P<path>\S[^\n`]*)\n(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The prompt in tokens, by how many it may be counted too short, and the client's `max_tokens`."""

    prompt: int
    margin: int = 0
    asked: int | None = None


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
    return "heavy" if HEAVY in (said, model) else None


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
    rules: CloudRules, size: Size, *, dead: Mapping[Target, float], now: float, purse: Purse
) -> tuple[Offer, ...]:
    """The targets for heavy work, each with its price and what speaks against it. `dead` and `now` in seconds since 1970."""
    return tuple(
        _offer(target_of(name), rules.targets.get(name), size, dead=dead, now=now, purse=purse) for name in rules.heavy
    )


def _offer(
    target: Target, rule: CloudTarget | None, size: Size, *, dead: Mapping[Target, float], now: float, purse: Purse
) -> Offer:
    if rule is None:
        return Offer(target=target, worst=None, most=0, why_not="is not among cloud.targets")
    prompt = min(size.prompt + size.margin, rule.window)
    most = most_tokens(rule, asked=size.asked, room=max(1, rule.window - prompt))
    worst = worst_case(rule.price, prompt=prompt, margin=0, most=most)
    if not rule.accepts_terms:
        why = "accepts_terms is not set"
    elif now - dead.get(target, float("-inf")) < DEAD_FOR:
        why = "its provider said that it no longer has this model"
    elif worst is None:
        why = "its price is not known"
    else:
        why = purse.why_not(worst)
    return Offer(target=target, worst=worst, most=most, why_not=why)


def route(
    home: Sequence[Target],
    *,
    heavy: Sequence[str],
    wish: Wish | None,
    permission: Permission,
    offered: Sequence[Offer],
    home_is_down: bool,
    rules: CloudRules,
) -> Route:
    """The targets to try, in order. Light work stays at home while that answers; heavy work that may leave comes back as a last resort."""
    away: tuple[Target, ...] = ()
    reasons = [f"heavy: {each}" for each in heavy] or ["not heavy"]
    stranded = home_is_down and rules.when_home_is_down
    if wish == "local":
        reasons.append("the client wants it to stay")
    elif not (heavy or stranded):
        reasons += ["nothing answers at home, and policy keeps it there"] if home_is_down else []
    elif not rules.heavy:
        reasons.append("no target is named in cloud.heavy")
    elif not permission.allowed:
        reasons += ["it may not leave", *permission.reasons]
    else:
        away = tuple(offer.target for offer in offered if not offer.why_not)
        reasons += ["it may leave", *permission.reasons, *_said(offered)]
    return Route(targets=(*away, *home), away=away, heavy=tuple(heavy), reasons=tuple(reasons))


def _said(offered: Iterable[Offer]) -> list[str]:
    return [f"{offer.target}: {offer.why_not or f'at most {dollars(offer.worst or 0)}'}" for offer in offered]


def target_of(name: str) -> Target:
    """The target that a name `provider/model` in policy stands for."""
    provider, _, model = name.partition("/")
    return Target(provider, model)


def edited_files(messages: Sequence[Message]) -> frozenset[str]:
    """The files that the present task is about: changed since a person last spoke, or given to be edited (Aider)."""
    since = _task(messages)
    changed = {deed.file for message in messages[since:] for deed in _deeds(message) if deed.kind == "change"}
    given = next((message.text for message in reversed(messages) if message.text.startswith(_AIDERS_FILES)), "")
    return frozenset({*changed, *(found["path"] for found in _FENCED_FILE.finditer(given))} - {""})


def _task(messages: Sequence[Message]) -> int:
    """Where the present task begins: with the last message that a person wrote."""
    spoken = (
        place
        for place, message in reversed(list(enumerate(messages)))
        if message.role == "user" and not is_output(message.text)
    )
    return next(spoken, 0)


def _deeds(message: Message) -> Iterable[Deed]:
    if message.role != "assistant":
        return
    for call in message.calls:
        yield from call_deeds(call)
    yield from acted(message.text)
    yield from (Deed("change", path) for path in edited(message.text))
