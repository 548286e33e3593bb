"""What every ledger promises: nothing beyond a cap, and what is not settled is spent."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.spending import Caps, Reservation
from gateway.ports import Ledger

NOON, DAY = 86_400 * 20_000 + 43_200.0, 86_400.0
FREE = Caps()


async def reserve(
    ledger: Ledger, worst: int, *, key: str = "ann", at: float = NOON, caps: Caps = FREE
) -> Reservation | str:
    return await ledger.reserve(worst, request="r", key=key, at=at, caps=caps)


async def reserved(ledger: Ledger, worst: int, *, key: str = "ann", at: float = NOON) -> Reservation:
    made = await reserve(ledger, worst, key=key, at=at)
    assert isinstance(made, Reservation)
    return made


async def test_a_reservation_is_spent_until_it_is_settled(ledger: Ledger) -> None:
    made = await reserved(ledger, 500)
    spent = await ledger.spent(at=NOON)
    assert spent is not None
    assert (spent.day, spent.total, spent.open, spent.keys) == (500, 500, 500, {"ann": 500})
    await ledger.settle(made, 120)
    spent = await ledger.spent(at=NOON)
    assert spent is not None
    assert (spent.day, spent.total, spent.open, spent.keys) == (120, 120, 0, {"ann": 120})


async def test_only_the_first_settlement_counts(ledger: Ledger) -> None:
    made = await reserved(ledger, 500)
    await ledger.settle(made, 120)
    await ledger.settle(made, 400)
    spent = await ledger.spent(at=NOON)
    assert spent is not None
    assert spent.total == 120


async def test_what_cost_more_than_was_thought_is_written_down(ledger: Ledger) -> None:
    await ledger.settle(await reserved(ledger, 500), 700)
    spent = await ledger.spent(at=NOON)
    assert spent is not None
    assert spent.total == 700


@pytest.mark.parametrize(
    ("caps", "key", "at", "word"),
    [
        (Caps(day=999), "bob", NOON, "budget of this day is $0.0010, $0.0009 are spent or set aside"),
        (Caps(total=999), "bob", NOON + DAY, "budget in total"),
        (Caps(key_day=999), "ann", NOON, "key's budget of this day"),
        (Caps(key_total=999), "ann", NOON + DAY, "key's budget in total"),
    ],
)
async def test_each_cap_holds(ledger: Ledger, caps: Caps, key: str, at: float, word: str) -> None:
    await reserved(ledger, 900)
    refused = await reserve(ledger, 100, key=key, at=at, caps=caps)
    assert isinstance(refused, str)
    assert word in refused
    assert isinstance(await reserve(ledger, 99, key=key, at=at, caps=caps), Reservation)


async def test_a_cap_counts_only_what_it_is_about(ledger: Ledger) -> None:
    await reserved(ledger, 900)
    assert isinstance(await reserve(ledger, 999, at=NOON + DAY, caps=Caps(day=999, key_day=999)), Reservation)
    assert isinstance(await reserve(ledger, 999, key="bob", caps=Caps(key_day=999, key_total=999)), Reservation)


async def test_a_settlement_after_midnight_counts_for_the_day_of_its_reservation(ledger: Ledger) -> None:
    made = await reserved(ledger, 500)
    await ledger.settle(made, 100)
    tomorrow = await ledger.spent(at=NOON + DAY)
    assert tomorrow is not None
    assert (tomorrow.day, tomorrow.total) == (0, 100)


async def test_many_at_once_never_break_a_cap(ledger: Ledger) -> None:
    made = await asyncio.gather(*(reserve(ledger, 100, key=str(n % 7), caps=Caps(day=1050)) for n in range(60)))
    assert sum(isinstance(each, Reservation) for each in made) == 10
    spent = await ledger.spent(at=NOON)
    assert spent is not None
    assert spent.day == 1000
