"""What an answer from a cloud costs, at worst and in the end, and what the budget says to it. Micro-dollars, whole, rounded up.

A price is in dollars for a million tokens, so that tokens × price are micro-dollars. Days are those of UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.budget import Count
from gateway.core.failures import Failure, FailureKind
from gateway.core.policy.cloud import Budgets, CloudTarget, Price
from gateway.core.stream import Usage

MICRO = 1_000_000
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that may be spent, in micro-dollars; None: no cap."""

    day: int | None = None
    total: int | None = None
    key_day: int | None = None
    key_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money that is set aside for one attempt. `key` is the name of the client's key."""

    id: str
    key: str
    day: int
    worst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What is gone, in micro-dollars. `open` is the part of it that is only reserved; `keys` and `keys_ever` are by client's key."""

    day: int = 0
    total: int = 0
    open: int = 0
    keys: Mapping[str, int] = field(default_factory=dict)
    keys_ever: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What a client's key may still spend. `spent` is None where the ledger can't be read, which forbids everything."""

    spent: Spent | None
    caps: Caps
    key: str

    def why_not(self, worst: int) -> str:
        """Which cap this would break, in words; "" where none."""
        if self.spent is None:
            return "the ledger can't be read"
        spent = self.spent
        for name, cap, gone in (
            ("the budget of this day", self.caps.day, spent.day),
            ("the budget in total", self.caps.total, spent.total),
            ("the key's budget of this day", self.caps.key_day, spent.keys.get(self.key, 0)),
            ("the key's budget in total", self.caps.key_total, spent.keys_ever.get(self.key, 0)),
        ):
            if cap is not None and gone + worst > cap:
                said = f"{dollars(gone)} are spent or set aside, and this may cost {dollars(worst)}"
                return f"{name} is {dollars(cap)}, {said}"
        return ""


def day_of(at: float) -> int:
    """The number of a day since 1970, UTC."""
    return int(at // _DAY)


def caps_of(budgets: Budgets, *, key_day: float | None = None, key_total: float | None = None) -> Caps:
    """The caps of a policy, tightened by what a client's key may spend (dollars)."""
    return Caps(
        day=_micros(budgets.per_day),
        total=_micros(budgets.total),
        key_day=_tighter(_micros(budgets.per_key_per_day), _micros(key_day)),
        key_total=_micros(key_total),
    )


def most_prompt(count: Count) -> int:
    """The longest that a prompt can be by a count of it: no token is shorter than a byte, and an estimate takes three for one."""
    return count.tokens * 3 if count.method == "estimated" else count.tokens + count.margin


def worst_case(price: Price, *, prompt: int, margin: int, most: int) -> int | None:
    """The most that an answer may cost: a prompt that was counted too short by its margin, and all tokens it may make.

    None where nobody can tell: no price is known, or the answer has no bound.
    """
    if price.input is None or price.output is None or most <= 0:
        return None
    longest = prompt + margin
    short = longest if price.long_above is None else min(longest, price.long_above)  # should a long one be the cheaper
    return max(_sum(price, prompt=each, cached=0, made=most) for each in (short, longest))


def most_tokens(rule: CloudTarget, *, asked: int | None, room: int) -> int:
    """The longest answer that may be asked for: the client's `max_tokens`, else the target's; never more than `room` (0: unknown)."""
    most = asked or rule.answer
    return min(most, room) if room else most


def cost_of(price: Price, usage: Usage) -> int | None:
    """What an answer did cost by its usage; None where it told none or no price is known."""
    if price.input is None or price.output is None or not (usage.prompt_tokens or usage.completion_tokens):
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens) if price.cached is not None else 0
    return _sum(price, prompt=usage.prompt_tokens, cached=cached, made=usage.completion_tokens)


# The answers of a server that did no work: nobody bills for these.
_FREE = frozenset(
    {
        FailureKind.UNREACHABLE,
        FailureKind.OVERLOADED,
        FailureKind.REFUSED,
        FailureKind.UNAUTHORIZED,
        FailureKind.MODEL_MISSING,
        FailureKind.OVERFLOW,
    }
)


def bill(worst: int, price: Price, *, usage: Usage | None, failure: Failure | None, received: bool) -> int:
    """What to settle for one attempt: its cost by usage, nothing where the server did nothing, else the worst case."""
    cost = cost_of(price, usage) if usage is not None else None
    if cost is not None:
        return cost
    return 0 if failure is not None and failure.kind in _FREE and not received else worst


def dollars(micros: int) -> str:
    """Micro-dollars for people."""
    return f"${micros / MICRO:.4f}"


def _sum(price: Price, *, prompt: int, cached: int, made: int) -> int:
    assert price.input is not None
    assert price.output is not None
    long = price.long_above is not None and prompt > price.long_above
    inward = price.long_input if long and price.long_input is not None else price.input
    outward = price.long_output if long and price.long_output is not None else price.output
    kept = min(price.cached, inward) if price.cached is not None else inward
    return math.ceil((prompt - cached) * inward + cached * kept + made * outward)


def _micros(amount: float | None) -> int | None:
    return None if amount is None else round(amount * MICRO)


def _tighter(one: int | None, other: int | None) -> int | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)
