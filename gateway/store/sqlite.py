"""Summaries, taints and what was learnt, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from gateway.core.plan import Target
from gateway.ports import WindowLearnt
from gateway.store.database import Database
from gateway.store.memory import SUMMARIES

_AT_ONCE = 500  # keys in one question: SQLite takes 999 at least


class SQLiteStore:
    """Kept over restarts. Marks that can't be written hold at least until this process ends."""

    def __init__(self, database: Database, *, summaries: int = SUMMARIES) -> None:
        self._database = database
        self._most = summaries
        self._unwritten: dict[bytes, float] = {}

    async def summary(self, key: bytes) -> str | None:
        def read(database: sqlite3.Connection) -> str | None:
            row = database.execute("SELECT text FROM summary WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

        return await self._database.ask(read, otherwise=None)

    async def keep_summary(self, key: bytes, text: str) -> None:
        def write(database: sqlite3.Connection) -> None:
            (newest,) = database.execute("SELECT coalesce(max(number), 0) FROM summary").fetchone()
            database.execute("INSERT OR REPLACE INTO summary VALUES (?, ?, ?)", (key, text, newest + 1))
            (count,) = database.execute("SELECT count(*) FROM summary").fetchone()
            if count > self._most:
                oldest = "SELECT key FROM summary ORDER BY number LIMIT ?"
                database.execute(f"DELETE FROM summary WHERE key IN ({oldest})", (count - self._most,))  # noqa: S608

        await self._database.ask(write, otherwise=None)

    async def tainted(self, keys: Sequence[bytes], now: float) -> frozenset[bytes]:
        def read(database: sqlite3.Connection) -> frozenset[bytes]:
            database.execute("DELETE FROM taint WHERE until <= ?", (now,))
            return frozenset(found for some in _batches(keys) for found in _marked(database, some, now))

        written = await self._database.ask(read, otherwise=frozenset(keys))
        return written | {key for key in keys if self._unwritten.get(key, 0.0) > now}

    async def taint(self, keys: Sequence[bytes], *, until: float) -> None:
        def write(database: sqlite3.Connection) -> bool:
            database.executemany(
                "INSERT INTO taint VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until)",
                [(key, until) for key in keys],
            )
            return True

        for key in keys:
            self._unwritten[key] = max(until, self._unwritten.get(key, 0.0))
        if await self._database.ask(write, otherwise=False):
            for key in keys:
                self._unwritten.pop(key, None)

    async def windows(self) -> Mapping[Target, WindowLearnt]:
        def read(database: sqlite3.Connection) -> dict[Target, WindowLearnt]:
            rows = database.execute("SELECT upstream, model, held, held_at, failed, failed_at FROM window")
            return {
                Target(upstream, model): WindowLearnt(held=held, held_at=held_at, failed=failed, failed_at=failed_at)
                for upstream, model, held, held_at, failed, failed_at in rows
            }

        return await self._database.ask(read, otherwise={})

    async def learn_window(self, target: Target, window: int, *, held: bool, at: float) -> None:
        name, other = ("held", "failed") if held else ("failed", "held")

        def write(database: sqlite3.Connection) -> None:
            database.execute(
                f"INSERT INTO window (upstream, model, {name}, {name}_at, {other}_at) VALUES (?, ?, ?, ?, 0)"  # noqa: S608
                f" ON CONFLICT (upstream, model) DO UPDATE SET {name} = excluded.{name}, {name}_at = excluded.{name}_at",
                (target.upstream, target.model, window, at),
            )

        await self._database.ask(write, otherwise=None)

    async def dead(self) -> Mapping[Target, float]:
        def read(database: sqlite3.Connection) -> dict[Target, float]:
            rows = database.execute("SELECT upstream, model, at FROM dead")
            return {Target(upstream, model): at for upstream, model, at in rows}

        return await self._database.ask(read, otherwise={})

    async def learn_dead(self, target: Target, *, at: float) -> None:
        def write(database: sqlite3.Connection) -> None:
            database.execute("INSERT OR REPLACE INTO dead VALUES (?, ?, ?)", (target.upstream, target.model, at))

        await self._database.ask(write, otherwise=None)


def _batches(keys: Sequence[bytes]) -> Iterable[tuple[bytes, ...]]:
    left = iter(keys)
    while some := tuple(islice(left, _AT_ONCE)):
        yield some


def _marked(database: sqlite3.Connection, keys: tuple[bytes, ...], now: float) -> Iterable[bytes]:
    places = ", ".join("?" * len(keys))
    rows = database.execute(f"SELECT key FROM taint WHERE until > ? AND key IN ({places})", (now, *keys))  # noqa: S608
    return (bytes(key) for (key,) in rows)
