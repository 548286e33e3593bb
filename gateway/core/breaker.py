"""When a model keeps failing: who waits for it is told at once, others are asked first, and retries run out. Machines with `now`."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.failures import Failure
from gateway.core.policy.recovery import RecoveryRules


@dataclass(slots=True)
class Breaker:
    """The failures in a row of one model at one upstream. It never refuses a request that came after the last of them:
    that one is the probe, since a model that has healed must not be refused from memory."""

    rules: RecoveryRules
    _failures: int = 0
    _failure: Failure | None = None
    _last: float = float("-inf")

    def tells(self, came: float) -> Failure | None:
        """The failure that a request gets too which came then, and waited while the model failed again and again."""
        return self._failure if self._failures >= self.rules.breaker_after and came < self._last else None

    def rests(self, now: float) -> bool:
        """Whether other targets are to be asked first."""
        return self._failures >= self.rules.breaker_after and now - self._last < self.rules.breaker_rest

    def failed(self, failure: Failure, now: float) -> None:
        """A request ended so, after all its attempts."""
        self._failures += 1
        self._failure, self._last = failure, now

    def worked(self) -> None:
        """An answer came."""
        self._failures = 0


@dataclass(slots=True)
class RetryBudget:
    """A bucket of retries for one upstream. What an answer needed comes back with it; what brought nothing comes back slowly."""

    rules: RecoveryRules
    _taken: float = 0.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """One retry, if there is one."""
        self._taken = max(0.0, self._taken - (now - self._at) * self.rules.retries_per_second)
        self._at = now
        if self._taken + 1 > self.rules.retries:
            return False
        self._taken += 1
        return True

    def give_back(self, retries: int) -> None:
        """The retries of a request that got its answer."""
        self._taken = max(0.0, self._taken - retries)
