"""Clocks for tests: one that stands still until it is moved, one that leaps over every wait. Nothing here looks at the real time."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class FakeClock:
    """Time that passes only when `advance` is called. A sleeper wakes exactly when its moment has come, in order."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), wake))
        await wake

    @property
    def sleeping(self) -> int:
        """How many tasks wait for this clock."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Whoever wakes on the way runs before time goes on, and may sleep again within it."""
        until = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, wake = heapq.heappop(self._sleepers)
            if wake.done():  # its task was cancelled
                continue
            self._now = max(self._now, due)
            wake.set_result(None)
            await settle()
        self._now = until


class LeapingClock:
    """Time that jumps over every wait: sleeping costs nothing and moves `now`. For one task at a time."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)


async def settle(rounds: int = 20) -> None:
    """Let every task that can run do so: a wake-up passes through several turns of the loop before it reaches its waiter."""
    for _ in range(rounds):
        await asyncio.sleep(0)
