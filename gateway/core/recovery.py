"""What to do after an attempt broke: one table from failure to answer, and one pure decision over it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Mode
from gateway.core.turn import Damage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.core.policy.recovery import RecoveryRules

LADDER = (262144, 196608, 131072, 98304, 65536, 49152, 32768, 24576, 16384, 12288, 8192, 4096)


class Answer(StrEnum):
    """Kinds of answers to a failure."""

    JOIN = "join"  # go on where it broke
    REMAKE = "remake"  # what came is whole but wrong: make it again, differently
    WAIT = "wait"  # nothing was made: wait, then the same again
    SHRINK = "shrink"  # the same once, then with a smaller window
    FIT = "fit"  # the prompt must become shorter
    ELSEWHERE = "elsewhere"  # this target will say no again


_K, _A = FailureKind, Answer
TABLE: Mapping[FailureKind, Answer] = MappingProxyType(
    {
        _K.CUT: _A.JOIN,
        _K.CRASHED: _A.JOIN,
        _K.STALLED: _A.JOIN,
        _K.CAPPED: _A.JOIN,
        _K.OPEN_CALL: _A.JOIN,
        _K.INVALID: _A.JOIN,
        _K.WINDOW_FULL: _A.FIT,
        _K.OVERFLOW: _A.FIT,
        _K.OUT_OF_MEMORY: _A.SHRINK,
        _K.PARSER: _A.REMAKE,
        _K.UNREADABLE: _A.REMAKE,
        _K.CHOICE_IGNORED: _A.REMAKE,
        _K.OUTPUT_BROKEN: _A.REMAKE,
        _K.LOOPING: _A.REMAKE,
        _K.UNREACHABLE: _A.WAIT,
        _K.OVERLOADED: _A.WAIT,
        _K.LOADING: _A.WAIT,
        _K.REFUSED: _A.ELSEWHERE,
        _K.UNAUTHORIZED: _A.ELSEWHERE,
        _K.MODEL_MISSING: _A.ELSEWHERE,
    }
)


# What tells of the upstream or its model, and not of one request.
OF_THE_UPSTREAM = frozenset(
    {_K.CUT, _K.CRASHED, _K.STALLED, _K.INVALID, _K.OUT_OF_MEMORY, _K.UNREACHABLE, _K.OVERLOADED, _K.LOADING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the attempts so far and the upstream allow.

    `ways` are those in which this upstream could go on from here, or make the last part again, best first. `barren` counts
    the attempts in a row that brought nothing new. `dice` is a draw from 0 to 1.
    """

    tries_here: int
    tries_in_all: int
    ways: tuple[Mode, ...]
    barren: int
    window: int | None
    dice: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Another attempt: how it joins, after how many seconds, at which window, whether the prompt must be made shorter."""

    mode: Mode
    after: float = 0.0
    window: int | None = None
    tighter: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt here: another target, or the end."""

    failure: Failure


Verdict: TypeAlias = Again | GiveUp


def decide(failure: Failure, damage: Damage, outlook: Outlook, rules: RecoveryRules) -> Verdict:
    """The one way back into the loop. Pure: the same facts give the same verdict."""
    if outlook.tries_in_all >= rules.per_request:
        return GiveUp(failure)
    answer = TABLE[failure.kind]
    if answer is Answer.SHRINK and outlook.tries_here >= 2:
        return _shrink(failure, damage, outlook, rules)
    if (failure.retry_after or 0.0) > rules.longest_retry_after:
        return GiveUp(failure)
    if answer is Answer.ELSEWHERE or outlook.tries_here >= rules.per_window:
        return GiveUp(failure)
    wait = _backoff(outlook, rules) if answer in (Answer.WAIT, Answer.SHRINK) or not damage.received else 0.0
    if failure.kind in _AT_ONCE:
        wait = 0.0
    return Again(
        mode=_mode(answer, damage, outlook),
        after=max(wait, failure.retry_after or 0.0),
        window=outlook.window,
        tighter=answer is Answer.FIT,
    )


_AT_ONCE = frozenset(
    {_K.CAPPED, _K.OPEN_CALL, _K.WINDOW_FULL, _K.OVERFLOW, _K.PARSER, _K.UNREADABLE, _K.CHOICE_IGNORED}
)


def _mode(answer: Answer, damage: Damage, outlook: Outlook) -> Mode:
    """Go on from what was received where the upstream can; else anew, repeating what was sent."""
    anew = Mode.REPLAY if damage.sent else Mode.FRESH
    joinable = damage.received and damage.joinable and not damage.diverged
    if answer is not Answer.REMAKE and not joinable:
        return anew
    ways = (*outlook.ways, anew)
    return ways[min(outlook.barren, len(ways) - 1)]


def _shrink(failure: Failure, damage: Damage, outlook: Outlook, rules: RecoveryRules) -> Verdict:
    window = smaller(outlook.window)
    if not rules.shrink_window or window is None:
        return GiveUp(failure)
    return Again(
        mode=_mode(Answer.SHRINK, damage, outlook), after=_backoff(outlook, rules), window=window, tighter=True
    )


def smaller(window: int | None) -> int | None:
    """The next rung below a window; None at the foot of the ladder, or where no window is known."""
    return next((rung for rung in LADDER if window and rung < window), None)


def larger(window: int, most: int) -> int | None:
    """The next rung above a window, up to `most`; None where there is none."""
    return next((rung for rung in reversed(LADDER) if window < rung <= most), most if window < most else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What bounds an attempt, in tokens; `continued` is what continuations have made so far, all together at most `most`."""

    window: int | None
    prompt: int
    max_tokens: int | None
    reserve: int
    continued: int
    most: int

    def room(self, *, joined: int, overrun: bool) -> int | None:
        """Tokens that an attempt may make which goes on after `joined` tokens; 0: no bound is known, None: nothing is left.

        `overrun`: the client's own limit fell inside a tool call, which may go beyond it by the reserve.
        """
        bounds = [self.most - self.continued] if joined else []
        if self.window is not None:
            bounds.append(self.window - self.prompt - joined)
        if self.max_tokens is not None:
            bounds.append(self.max_tokens + (self.reserve if overrun else 0) - joined)
        return (min(bounds) if min(bounds) > 0 else None) if bounds else 0


def _backoff(outlook: Outlook, rules: RecoveryRules) -> float:
    """Full jitter over a doubling wait, never below half of it."""
    wait: float = min(rules.backoff * 2 ** max(0, outlook.tries_in_all - 1), rules.backoff_cap)
    return wait * (0.5 + outlook.dice / 2)
