"""Each store in turn, fresh, and the file of those that have one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from gateway.ports import Learnt, Ledger, Summaries, Taints
from gateway.store.database import Database
from gateway.store.ledger import SQLiteLedger
from gateway.store.memory import MemoryLedger, MemoryStore
from gateway.store.sqlite import SQLiteStore

SUMMARIES = 8  # that a store under test keeps


class Keeping(Summaries, Taints, Learnt, Protocol):
    """All that a store keeps besides money."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "holdfast.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, database: Database) -> Keeping:
    return MemoryStore(summaries=SUMMARIES) if request.param == "memory" else SQLiteStore(database, summaries=SUMMARIES)


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, database: Database) -> Ledger:
    return MemoryLedger() if request.param == "memory" else SQLiteLedger(database)
