"""The ledger in SQLite: what each key spent on each day, and what is set aside for answers that are still being made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from uuid import uuid4

from gateway.core.spending import Caps, Purse, Reservation, Spent, day_of
from gateway.store.database import Database

_UNWRITABLE = "the ledger can't be written, so nothing may be spent; the log says why"
_ADD = "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day, key) DO UPDATE SET micros = micros + excluded.micros"


class SQLiteLedger:
    """A reservation counts as spent from its commit on, so that a kill can only make the ledger say too much."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, worst: int, *, request: str, key: str, at: float, caps: Caps) -> Reservation | str:
        day = day_of(at)
        reservation = Reservation(id=uuid4().hex, key=key, day=day, worst=worst)

        def work(database: sqlite3.Connection) -> Reservation | str:
            why = Purse(spent=_spent(database, day), caps=caps, key=key).why_not(worst)
            if why:
                return why
            database.execute(
                "INSERT INTO reservation VALUES (?, ?, ?, ?, ?)", (reservation.id, request, key, day, worst)
            )
            database.execute(_ADD, (day, key, worst))
            return reservation

        return await self._database.ask(work, otherwise=_UNWRITABLE)

    async def settle(self, reservation: Reservation, cost: int) -> None:
        def work(database: sqlite3.Connection) -> None:
            if database.execute("DELETE FROM reservation WHERE id = ?", (reservation.id,)).rowcount:
                database.execute(_ADD, (reservation.day, reservation.key, cost - reservation.worst))

        await self._database.ask(work, otherwise=None)

    async def spent(self, *, at: float) -> Spent | None:
        day = day_of(at)
        return await self._database.ask(lambda database: _spent(database, day), otherwise=None)


def _spent(database: sqlite3.Connection, day: int) -> Spent:
    (reserved,) = database.execute("SELECT coalesce(sum(worst), 0) FROM reservation").fetchone()
    today = _by_key(database.execute("SELECT key, sum(micros) FROM spent WHERE day = ? GROUP BY key", (day,)))
    ever = _by_key(database.execute("SELECT key, sum(micros) FROM spent GROUP BY key"))
    return Spent(day=sum(today.values()), total=sum(ever.values()), open=reserved, keys=today, keys_ever=ever)


def _by_key(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(rows)
