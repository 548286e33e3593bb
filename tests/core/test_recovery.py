"""The one decision: which failure leads to which next attempt, and when it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Mode
from gateway.core.policy.recovery import RecoveryRules
from gateway.core.recovery import LADDER, TABLE, Again, Answer, GiveUp, Outlook, decide
from gateway.core.turn import Damage

RULES = RecoveryRules()
NOTHING = Damage(sent=False, received=0, joinable=True, calls=0, open_call=False, diverged=False)
HALF = Damage(sent=True, received=40, joinable=True, calls=0, open_call=False, diverged=False)
FIRST = Outlook(tries_here=1, tries_in_all=1, ways=(Mode.PREFILL, Mode.RAW), barren=0, window=32768, dice=0.5)


def again(kind: FailureKind, damage: Damage, outlook: Outlook = FIRST) -> Again:
    verdict = decide(Failure(kind), damage, outlook, RULES)
    assert isinstance(verdict, Again)
    return verdict


def test_every_kind_of_failure_has_its_answer() -> None:
    assert set(TABLE) == set(FailureKind)


def test_nothing_delivered_means_from_the_start() -> None:
    assert again(FailureKind.CRASHED, NOTHING).mode is Mode.FRESH


def test_half_an_answer_goes_on_where_it_stands() -> None:
    assert again(FailureKind.CRASHED, HALF).mode is Mode.PREFILL
    assert again(FailureKind.CRASHED, HALF, replace(FIRST, ways=(Mode.RAW,))).mode is Mode.RAW


def test_an_upstream_that_cannot_go_on_repeats_what_was_sent() -> None:
    assert again(FailureKind.CUT, HALF, replace(FIRST, ways=())).mode is Mode.REPLAY


def test_a_way_that_brought_nothing_gives_place_to_the_next() -> None:
    stuck = replace(FIRST, tries_here=2, tries_in_all=2, barren=1)
    assert again(FailureKind.CUT, HALF, stuck).mode is Mode.RAW
    assert again(FailureKind.CUT, HALF, replace(stuck, barren=2)).mode is Mode.REPLAY


def test_text_after_a_call_that_the_server_parsed_can_not_be_joined() -> None:
    assert again(FailureKind.CUT, replace(HALF, joinable=False)).mode is Mode.REPLAY


def test_three_generations_for_a_window_six_for_a_request() -> None:
    here = replace(FIRST, tries_here=3, tries_in_all=3)
    assert isinstance(decide(Failure(FailureKind.CUT), HALF, here, RULES), GiveUp)
    elsewhere = replace(FIRST, tries_here=1, tries_in_all=6)
    assert isinstance(decide(Failure(FailureKind.CUT), HALF, elsewhere, RULES), GiveUp)


def test_memory_the_same_window_once_then_the_next_smaller_one() -> None:
    first = again(FailureKind.OUT_OF_MEMORY, NOTHING)
    assert first.window == 32768
    assert first.after > 0
    second = again(FailureKind.OUT_OF_MEMORY, NOTHING, replace(FIRST, tries_here=2, tries_in_all=2))
    assert (second.window, second.tighter) == (24576, True)


def test_memory_ends_at_the_foot_of_the_ladder() -> None:
    least = replace(FIRST, tries_here=2, tries_in_all=2, window=LADDER[-1])
    assert isinstance(decide(Failure(FailureKind.OUT_OF_MEMORY), NOTHING, least, RULES), GiveUp)
    unknown = replace(least, window=None)
    assert isinstance(decide(Failure(FailureKind.OUT_OF_MEMORY), NOTHING, unknown, RULES), GiveUp)


@pytest.mark.parametrize("kind", [kind for kind, answer in TABLE.items() if answer is Answer.ELSEWHERE])
def test_a_no_is_not_asked_again(kind: FailureKind) -> None:
    assert isinstance(decide(Failure(kind), NOTHING, FIRST, RULES), GiveUp)


def test_waiting_gains_nothing_where_the_answer_was_only_cut() -> None:
    assert again(FailureKind.CAPPED, HALF).after == 0.0
    assert again(FailureKind.CRASHED, NOTHING).after > 0.0


def test_the_servers_own_wish_to_wait_is_honoured_within_bounds() -> None:
    verdict = decide(Failure(FailureKind.OVERLOADED, retry_after=2.0), NOTHING, FIRST, RULES)
    assert isinstance(verdict, Again)
    assert verdict.after == 2.0
    verdict = decide(Failure(FailureKind.OVERLOADED, retry_after=RULES.longest_retry_after), NOTHING, FIRST, RULES)
    assert isinstance(verdict, Again)
    assert verdict.after == RULES.longest_retry_after
    assert isinstance(decide(Failure(FailureKind.OVERLOADED, retry_after=3600.0), NOTHING, FIRST, RULES), GiveUp)


OUTLOOKS = st.builds(
    Outlook,
    tries_here=st.integers(1, 8),
    tries_in_all=st.integers(1, 8),
    ways=st.lists(st.sampled_from([Mode.PREFILL, Mode.RAW]), unique=True).map(tuple),
    barren=st.integers(0, 5),
    window=st.none() | st.sampled_from(LADDER),
    dice=st.floats(0, 1),
)
DAMAGES = st.builds(
    Damage,
    sent=st.booleans(),
    received=st.integers(0, 100),
    joinable=st.booleans(),
    calls=st.integers(0, 3),
    open_call=st.booleans(),
    diverged=st.booleans(),
)


@given(kind=st.sampled_from(FailureKind), damage=DAMAGES, outlook=OUTLOOKS)
def test_every_verdict_is_bounded_and_never_takes_back_what_was_sent(
    kind: FailureKind, damage: Damage, outlook: Outlook
) -> None:
    verdict = decide(Failure(kind), damage, outlook, RULES)
    if isinstance(verdict, GiveUp):
        return
    assert outlook.tries_in_all < RULES.per_request
    assert 0.0 <= verdict.after <= RULES.backoff_cap
    assert verdict.mode is not Mode.FRESH or not damage.sent
    assert verdict.mode not in (Mode.PREFILL, Mode.RAW) or verdict.mode in outlook.ways
    assert verdict.window == outlook.window or (outlook.window or 0) > (verdict.window or 0)
