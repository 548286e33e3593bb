"""The clocks of the tests."""

from __future__ import annotations

import asyncio

import pytest

from gateway.testing.fake_clock import FakeClock, LeapingClock


async def test_sleepers_wake_in_order_and_not_before_their_time() -> None:
    clock, woken = FakeClock(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper("late", 5)), asyncio.create_task(sleeper("early", 2))]
    await clock.advance(1.5)
    assert (woken, clock.sleeping) == ([], 2)
    await clock.advance(10)
    assert woken == [("early", 2.0), ("late", 5.0)]
    assert clock.now() == 11.5
    await asyncio.gather(*tasks)


async def test_who_sleeps_again_wakes_within_the_same_advance() -> None:
    clock, ticks = FakeClock(100.0), list[float]()

    async def ticker() -> None:
        for _ in range(3):
            await clock.sleep(10)
            ticks.append(clock.now())

    task = asyncio.create_task(ticker())
    await clock.advance(25)
    assert ticks == [110.0, 120.0]
    await clock.advance(5)
    assert ticks == [110.0, 120.0, 130.0]
    await task


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.sleeping == 0
    await clock.advance(10)
    assert clock.now() == 10


async def test_no_wait_is_no_wait() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    assert clock.now() == 0


async def test_the_leaping_clock_moves_by_what_is_slept() -> None:
    clock = LeapingClock(3.0)
    await clock.sleep(330)
    assert clock.now() == 333.0
