"""The ledger in SQLite: what each key spent on each day, and what is set aside for answers that are still being made."""

from __future__ import annotations

import sqlite3
from uuid import uuid4

from gateway.core.spending import Caps, Reservation, Spent, day_of, forbidden
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
            why = forbidden(
                worst,
                caps,
                spent=_spent(database, day),
                key_day=_sum(database, "WHERE day = ? AND key = ?", day, key),
                key_total=_sum(database, "WHERE key = ?", key),
            )
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
    by_key = database.execute("SELECT key, micros FROM spent WHERE day = ? AND micros != 0 ORDER BY key", (day,))
    return Spent(
        day=_sum(database, "WHERE day = ?", day),
        total=_sum(database),
        open=reserved,
        by_key={str(key): int(micros) for key, micros in by_key},
    )


def _sum(database: sqlite3.Connection, where: str = "", *values: int | str) -> int:
    (amount,) = database.execute(f"SELECT coalesce(sum(micros), 0) FROM spent {where}", values).fetchone()  # noqa: S608
    return int(amount)
