"""The breaker tells those who waited, never those who come later; retries that brought an answer cost nothing."""

from __future__ import annotations

from gateway.core.breaker import Breaker, RetryBudget
from gateway.core.failures import Failure, FailureKind
from gateway.core.policy.recovery import RecoveryRules

RULES = RecoveryRules(breaker_after=3, breaker_rest=30.0, retries=4, retries_per_second=0.5)
CRASHED = Failure(FailureKind.CRASHED, "exit status 2")


def broken(*times: float) -> Breaker:
    made = Breaker(RULES)
    for now in times:
        made.failed(CRASHED, now)
    return made


def test_who_waited_while_it_failed_again_and_again_is_told() -> None:
    assert broken(1, 2, 3).tells(came=2.5) == CRASHED


def test_two_failures_tell_nobody() -> None:
    assert broken(1, 2).tells(came=0.5) is None


def test_who_comes_after_the_last_failure_is_the_probe() -> None:
    assert broken(1, 2, 3).tells(came=3.0) is None


def test_an_answer_ends_it() -> None:
    breaker = broken(1, 2, 3)
    breaker.worked()
    breaker.failed(CRASHED, 4)
    assert breaker.tells(came=0.0) is None
    assert not breaker.rests(now=4.0)


def test_others_are_asked_first_for_a_while() -> None:
    assert broken(1, 2, 3).rests(now=32.9)
    assert not broken(1, 2, 3).rests(now=33.0)


def test_retries_run_out_and_come_back() -> None:
    budget = RetryBudget(RULES)
    assert [budget.take(10.0) for _ in range(5)] == [True, True, True, True, False]
    assert budget.take(12.0)
    assert not budget.take(12.0)


def test_what_an_answer_needed_is_given_back() -> None:
    budget = RetryBudget(RULES)
    for _ in range(20):
        assert budget.take(10.0)
        assert budget.take(10.0)
        budget.give_back(2)
