"""How far the attempts at one answer have come: what they brought, what they may still cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.core.breaker import RetryBudget
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Mode, Try
from gateway.core.policy.recovery import RecoveryRules
from gateway.core.recovery import OF_THE_UPSTREAM, TABLE, Allowance, Answer, Outlook
from gateway.core.turn import Damage, Turn
from gateway.service.prompt.fitting import Fitted

_JOINS = (Mode.PREFILL, Mode.RAW)
_TOO_LONG = (FailureKind.WINDOW_FULL, FailureKind.CAPPED, FailureKind.OPEN_CALL)


@dataclass(slots=True)
class Progress:
    """The attempts of one request. `prompt_tokens` is the length of the prompt that was sent first, as we counted it;
    `charged` are the retries that its upstream's budget has lent."""

    tries: list[Try] = field(default_factory=list)
    prompt_tokens: int = 0
    charged: int = 0
    _barren: int = 0
    _remade: int = 0
    _received: int = 0
    _continued: int = 0
    _overruns: bool = False
    _asked_for_steps: bool = False

    def moved(self) -> None:
        """Another target begins anew; what was tried counts on."""
        self._barren = self._remade = self._received = self._continued = 0
        self._overruns = False

    def began(self, attempt: Try, turn: Turn) -> None:
        self.tries.append(attempt)
        match attempt.mode:
            case Mode.RAW | Mode.REMAKE:
                self._received = len(attempt.text)
            case Mode.PREFILL:
                self._received = turn.damage().received
            case _:
                self._received = 0

    def broke(self, failure: Failure, attempt: Try, turn: Turn) -> None:
        made = turn.seen_tokens if turn.made is None else turn.made
        self._continued += made if attempt.mode in _JOINS else 0
        self._overruns = self._overruns or failure.kind is FailureKind.OPEN_CALL

    def silent(self, damage: Damage) -> bool:
        """The last attempt has brought nothing."""
        return damage.received <= self._received

    def outlook(self, failure: Failure, damage: Damage, attempt: Try, *, ways: Iterable[Mode], dice: float) -> Outlook:
        """The facts for a decision, after this failure of that attempt."""
        if TABLE[failure.kind] is Answer.REMAKE:
            self._barren = self._remade
        else:
            self._barren = self._barren + 1 if self.silent(damage) and len(self.tries) > 1 else 0
        return Outlook(
            tries_here=self._here(attempt),
            tries_in_all=len(self.tries),
            ways=tuple(ways),
            barren=self._barren,
            window=attempt.window,
            dice=dice,
        )

    def charge(self, failure: Failure, retries: RetryBudget, now: float) -> bool:
        """Whether there may be another attempt as far as the upstream's budget goes, which lends it where the upstream failed."""
        if failure.kind not in OF_THE_UPSTREAM:
            return True
        lent = retries.take(now)
        self.charged += lent
        return lent

    def goes_on(self, failure: Failure) -> None:
        """There will be another attempt after this failure."""
        self._remade += TABLE[failure.kind] is Answer.REMAKE

    def may_ask_for_steps(self, failure: Failure, attempt: Try, rules: RecoveryRules) -> bool:
        """Whether an answer that was too long may be asked for in steps: once, and where there is an attempt left for it."""
        if self._asked_for_steps or not rules.steps or failure.kind not in _TOO_LONG:
            return False
        self._asked_for_steps = len(self.tries) < rules.per_request and self._here(attempt) < rules.per_window
        return self._asked_for_steps

    def _here(self, attempt: Try) -> int:
        return sum(each.target == attempt.target and each.window == attempt.window for each in self.tries)

    def room(self, fitted: Fitted, *, joined: int, max_tokens: int | None, reserve_times: int) -> int | None:
        """Tokens that an attempt may make which goes on after `joined` tokens; 0: no bound is known, None: nothing is left."""
        reserve = min(fitted.rule.output_reserve, (fitted.window or fitted.rule.output_reserve * 4) // 4)
        allowance = Allowance(
            window=fitted.window,
            prompt=fitted.count.tokens,
            max_tokens=max_tokens,
            reserve=reserve,
            continued=self._continued,
            most=reserve * reserve_times,
        )
        return allowance.room(joined=joined, overrun=self._overruns)
