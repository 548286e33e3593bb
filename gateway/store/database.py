"""One SQLite file and the one thread that works on it. Law: a piece of work is one transaction, whole or not at all.

WAL with full sync: what was committed is there after a kill at any point, and after a power cut.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger()

_VERSION = 1
_PATIENCE = 5.0  # seconds that another process may hold the file
_TABLES = """
CREATE TABLE IF NOT EXISTS summary (key BLOB PRIMARY KEY, text TEXT NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS summary_number ON summary (number);
CREATE TABLE IF NOT EXISTS taint (key BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS taint_until ON taint (until);
CREATE TABLE IF NOT EXISTS window (
    upstream TEXT NOT NULL, model TEXT NOT NULL, held INTEGER, held_at REAL NOT NULL, failed INTEGER, failed_at REAL NOT NULL,
    PRIMARY KEY (upstream, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
    upstream TEXT NOT NULL, model TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (upstream, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    day INTEGER NOT NULL, key TEXT NOT NULL, micros INTEGER NOT NULL, PRIMARY KEY (day, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservation (
    id TEXT PRIMARY KEY, request TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL, worst INTEGER NOT NULL) WITHOUT ROWID;
"""


class Database:
    """A file, opened by the first piece of work and readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._open: sqlite3.Connection | None = None

    async def ask(self, work: Callable[[sqlite3.Connection], T], *, otherwise: T) -> T:
        """What the work gives; `otherwise` where the file can't be read or written, which the log then tells.

        Work that has begun goes on to its end when whoever asked for it is cancelled.
        """
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.shield(loop.run_in_executor(self._thread, self._do, work))
        except (sqlite3.Error, OSError) as error:
            remedy = "free space, mend its rights, or move it away to begin anew"
            log.error("store failed", file=str(self._path), why=str(error), remedy=remedy)
            return otherwise

    async def close(self) -> None:
        """After the work that was asked for."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        database = self._connected()
        database.execute("BEGIN IMMEDIATE")
        try:
            result = work(database)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        return result

    def _connected(self) -> sqlite3.Connection:
        if self._open is None:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._open = _prepared(sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None))
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        _make(database)
    except BaseException:
        database.close()
        raise
    return database


def _make(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version not in (0, _VERSION):
        raise sqlite3.DatabaseError(f"the file has version {version}, this Holdfast writes {_VERSION}")
    database.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={_VERSION}; COMMIT;")
