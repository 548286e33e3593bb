"""Waiting for parts: only a wait that is too long ends, whoever else is slow, and a cancellation from outside stays one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.service.turn.patience import Patience


async def parts(*seconds: float) -> AsyncGenerator[float, None]:
    for each in seconds:
        await asyncio.sleep(each)
        yield each


async def test_parts_in_time_come_through() -> None:
    stream = parts(0.0, 0.01, 0.02)
    with Patience(1.0) as patience:
        assert [await patience.next(stream) for _ in range(4)] == [0.0, 0.01, 0.02, None]


async def test_a_part_that_is_late_raises_and_nothing_is_left_of_the_cancellation() -> None:
    stream = parts(0.0, 60.0)
    with Patience(0.02) as patience:
        await patience.next(stream)
        with pytest.raises(TimeoutError):
            await patience.next(stream)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0.03)


async def test_a_slow_reader_is_not_taken_for_a_slow_stream() -> None:
    stream = parts(0.0, 0.0)
    with Patience(0.02) as patience:
        await patience.next(stream)
        await asyncio.sleep(0.08)
        assert await patience.next(stream) == 0.0


async def test_after_the_first_part_less_patience_holds() -> None:
    stream = parts(0.0, 60.0)
    with Patience(600.0) as patience:
        await patience.next(stream)
        patience.becomes(0.02)
        with pytest.raises(TimeoutError):
            await patience.next(stream)


async def test_a_cancellation_from_outside_is_none_of_ours() -> None:
    async def wait() -> None:
        with Patience(60.0) as patience:
            await patience.next(parts(60.0))

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
