"""Prices, worst cases and budgets: sums that are never too small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failures import Failure, FailureKind
from gateway.core.policy.cloud import Budgets, CloudTarget, Price
from gateway.core.spending import (
    Caps,
    Purse,
    Spent,
    bill,
    caps_of,
    cost_of,
    day_of,
    dollars,
    most_tokens,
    worst_case,
)
from gateway.core.stream import Usage

FLASH = Price(input=0.75, output=3.75)
PRO = Price(input=2.0, output=12.0, long_above=200_000, long_input=4.0, long_output=18.0)


@pytest.mark.parametrize(
    ("price", "usage", "micros"),
    [
        (FLASH, Usage(prompt_tokens=146_760, completion_tokens=4_000), 125_070),
        (PRO, Usage(prompt_tokens=146_760, completion_tokens=4_000), 341_520),
        (PRO, Usage(prompt_tokens=200_000, completion_tokens=0), 400_000),
        (PRO, Usage(prompt_tokens=200_001, completion_tokens=1), 800_022),
        (Price(input=1.0, output=1.0, cached=0.1), Usage(prompt_tokens=100, cached_tokens=90), 19),
        (Price(input=1.0, output=1.0), Usage(prompt_tokens=100, cached_tokens=90), 100),
        (Price(input=0.3, output=0.0), Usage(prompt_tokens=1), 1),
        (FLASH, Usage(), None),
        (Price(input=1.0), Usage(prompt_tokens=1), None),
        (Price(), Usage(prompt_tokens=1), None),
    ],
)
def test_what_an_answer_costs(price: Price, usage: Usage, micros: int | None) -> None:
    assert cost_of(price, usage) == micros


def test_an_unknown_price_or_length_has_no_worst_case() -> None:
    assert worst_case(Price(input=1.0), prompt=1, margin=0, most=1) is None
    assert worst_case(FLASH, prompt=1, margin=0, most=0) is None
    assert worst_case(FLASH, prompt=1000, margin=100, most=10) == 863


prices = st.floats(0.0, 100.0)


@given(
    price=st.builds(
        Price,
        input=prices,
        output=prices,
        cached=st.none() | prices,
        long_above=st.none() | st.integers(0, 300_000),
        long_input=st.none() | prices,
        long_output=st.none() | prices,
    ),
    prompt=st.integers(1, 300_000),
    made=st.integers(0, 50_000),
    cached=st.integers(0, 300_000),
    short=st.integers(0, 5_000),
    spare=st.integers(1, 5_000),
)
def test_the_worst_case_is_never_less_than_the_cost(
    price: Price, prompt: int, made: int, cached: int, short: int, spare: int
) -> None:
    cost = cost_of(price, Usage(prompt_tokens=prompt, completion_tokens=made, cached_tokens=cached))
    worst = worst_case(price, prompt=max(0, prompt - short), margin=short, most=made + spare)
    assert cost is not None
    assert worst is not None
    assert cost <= worst


@pytest.mark.parametrize(
    ("usage", "failure", "received", "micros"),
    [
        (Usage(prompt_tokens=100, completion_tokens=10), None, True, 113),
        (Usage(prompt_tokens=100, completion_tokens=10), FailureKind.CUT, True, 113),
        (None, FailureKind.OVERLOADED, False, 0),
        (None, FailureKind.MODEL_MISSING, False, 0),
        (None, FailureKind.OVERLOADED, True, 999),
        (None, FailureKind.CUT, False, 999),
        (None, FailureKind.STALLED, False, 999),
        (None, None, True, 999),
        (Usage(), None, True, 999),
    ],
)
def test_what_is_settled(usage: Usage | None, failure: FailureKind | None, received: bool, micros: int) -> None:
    failed = Failure(failure) if failure else None
    assert bill(999, FLASH, usage=usage, failure=failed, received=received) == micros


@pytest.mark.parametrize(
    ("asked", "room", "most"), [(None, 0, 4096), (None, 100, 100), (50, 100, 50), (500, 100, 100), (9000, 0, 9000)]
)
def test_the_longest_answer(asked: int | None, room: int, most: int) -> None:
    assert most_tokens(CloudTarget(answer=4096), asked=asked, room=room) == most


def test_a_keys_own_budget_only_tightens() -> None:
    budgets = Budgets(per_day=5.0, per_key_per_day=1.0, total=20.0)
    assert caps_of(budgets) == Caps(day=5_000_000, total=20_000_000, key_day=1_000_000)
    assert caps_of(budgets, key_day=0.5, key_total=3.0).key_day == 500_000
    assert caps_of(budgets, key_day=2.0).key_day == 1_000_000
    assert caps_of(budgets, key_total=3.0).key_total == 3_000_000
    assert caps_of(Budgets(per_day=None)) == Caps()


def test_a_purse_says_which_cap_forbids() -> None:
    spent = Spent(day=600, total=900, keys={"ann": 100}, keys_ever={"ann": 400})
    assert Purse(spent=None, caps=Caps(), key="ann").why_not(0) == "the ledger can't be read"
    assert Purse(spent=spent, caps=Caps(), key="ann").why_not(10**12) == ""
    assert Purse(spent=spent, caps=Caps(day=700), key="ann").why_not(100) == ""
    assert "this day is $0.0007" in Purse(spent=spent, caps=Caps(day=700), key="ann").why_not(101)
    assert "in total" in Purse(spent=spent, caps=Caps(key_total=400), key="ann").why_not(1)
    assert Purse(spent=spent, caps=Caps(key_total=400), key="bob").why_not(1) == ""


def test_days_and_dollars() -> None:
    assert (day_of(0.0), day_of(86_399.9), day_of(86_400.0)) == (0, 0, 1)
    assert dollars(125_070) == "$0.1251"
