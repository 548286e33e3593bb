"""All stores in memory: for tests, and for a gateway without a state directory. What they keep is gone with the process."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from gateway.core.plan import Target
from gateway.core.spending import Caps, Purse, Reservation, Spent, day_of
from gateway.ports import WindowLearnt

SUMMARIES = 4096  # the newest are kept


class MemoryStore:
    """Summaries, taints and what was learnt."""

    def __init__(self, *, summaries: int = SUMMARIES) -> None:
        self._most = summaries
        self._summaries: OrderedDict[bytes, str] = OrderedDict()
        self._taints: dict[bytes, float] = {}
        self._windows: dict[Target, WindowLearnt] = {}
        self._dead: dict[Target, float] = {}

    async def summary(self, key: bytes) -> str | None:
        return self._summaries.get(key)

    async def keep_summary(self, key: bytes, text: str) -> None:
        self._summaries[key] = text
        while len(self._summaries) > self._most:
            self._summaries.popitem(last=False)

    async def tainted(self, keys: Sequence[bytes], now: float) -> frozenset[bytes]:
        return frozenset(key for key in keys if self._taints.get(key, 0.0) > now)

    async def taint(self, keys: Sequence[bytes], *, until: float) -> None:
        for key in keys:
            self._taints[key] = max(until, self._taints.get(key, 0.0))

    async def windows(self) -> Mapping[Target, WindowLearnt]:
        return dict(self._windows)

    async def learn_window(self, target: Target, window: int, *, held: bool, at: float) -> None:
        known = self._windows.get(target, WindowLearnt())
        self._windows[target] = (
            replace(known, held=window, held_at=at) if held else replace(known, failed=window, failed_at=at)
        )

    async def dead(self) -> Mapping[Target, float]:
        return dict(self._dead)

    async def learn_dead(self, target: Target, *, at: float) -> None:
        self._dead[target] = at


class MemoryLedger:
    """What was spent since the process began."""

    def __init__(self) -> None:
        self._spent: defaultdict[tuple[int, str], int] = defaultdict(int)
        self._open: dict[str, Reservation] = {}

    async def reserve(self, worst: int, *, request: str, key: str, at: float, caps: Caps) -> Reservation | str:
        day = day_of(at)
        why = Purse(spent=await self.spent(at=at), caps=caps, key=key).why_not(worst)
        if why:
            return why
        reservation = Reservation(id=uuid4().hex, key=key, day=day, worst=worst)
        self._open[reservation.id] = reservation
        self._spent[day, key] += worst
        return reservation

    async def settle(self, reservation: Reservation, cost: int) -> None:
        if self._open.pop(reservation.id, None) is not None:
            self._spent[reservation.day, reservation.key] += cost - reservation.worst

    async def spent(self, *, at: float) -> Spent:
        day = day_of(at)
        today = {key: amount for (each, key), amount in self._spent.items() if each == day}
        ever: defaultdict[str, int] = defaultdict(int)
        for (_, key), amount in self._spent.items():
            ever[key] += amount
        reserved = sum(each.worst for each in self._open.values())
        return Spent(day=sum(today.values()), total=sum(ever.values()), open=reserved, keys=today, keys_ever=dict(ever))
