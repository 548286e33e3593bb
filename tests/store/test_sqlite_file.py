"""The SQLite file: what is in it after a restart, who may read it, and what happens where it can't be read or written."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.core.plan import Target
from gateway.core.spending import Caps, Reservation
from gateway.store.database import Database
from gateway.store.ledger import SQLiteLedger
from gateway.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.sqlite3"


async def test_everything_is_there_after_a_restart(path: Path) -> None:
    first = Database(path)
    store, ledger = SQLiteStore(first), SQLiteLedger(first)
    await store.keep_summary(b"k", "text")
    await store.taint([b"t"], until=10.0)
    await store.learn_window(Target("o", "m"), 4096, held=True, at=1.0)
    await store.learn_dead(Target("g", "m"), at=2.0)
    await ledger.reserve(7, request="r", key="ann", at=0.0, caps=Caps())
    await first.close()

    second = Database(path)
    store, ledger = SQLiteStore(second), SQLiteLedger(second)
    spent = await ledger.spent(at=0.0)
    assert spent is not None
    assert (spent.total, spent.open) == (7, 7)
    assert await store.summary(b"k") == "text"
    assert await store.tainted([b"t"], 5.0) == {b"t"}
    assert (await store.windows())[Target("o", "m")].held == 4096
    assert await store.dead() == {Target("g", "m"): 2.0}
    await second.close()


async def test_only_the_owner_may_read_it(path: Path, database: Database) -> None:
    await SQLiteStore(database).keep_summary(b"k", "text")
    kept = sorted(path.parent.iterdir())
    assert len(kept) == 3  # with -wal and -shm
    assert {each.stat().st_mode & 0o777 for each in kept} == {0o600}


async def test_two_gateways_on_one_file_share_the_budget(path: Path) -> None:
    both = [Database(path), Database(path)]
    ledgers = [SQLiteLedger(each) for each in both]
    made = await asyncio.gather(
        *(ledgers[n % 2].reserve(10, request="r", key="k", at=0.0, caps=Caps(total=105)) for n in range(40))
    )
    assert sum(isinstance(each, Reservation) for each in made) == 10
    for each in both:
        await each.close()


@pytest.mark.parametrize("broken", ["no database", "newer", "a folder"])
async def test_what_cannot_be_read_forbids_and_taints(path: Path, broken: str) -> None:
    if broken == "no database":
        path.write_bytes(b"this is no database" * 100)
    elif broken == "a folder":
        path.mkdir()
    else:
        made = sqlite3.connect(path)
        made.execute("PRAGMA user_version=99")
        made.close()
    database = Database(path)
    store, ledger = SQLiteStore(database), SQLiteLedger(database)
    refused = await ledger.reserve(1, request="r", key="k", at=0.0, caps=Caps())
    assert isinstance(refused, str)
    assert "can't be written" in refused
    assert await ledger.spent(at=0.0) is None
    assert await store.tainted([b"a"], 0.0) == {b"a"}
    assert await store.summary(b"k") is None
    assert await store.windows() == {}
    await store.keep_summary(b"k", "text")
    await store.learn_dead(Target("g", "m"), at=2.0)
    await database.close()


async def test_a_mark_that_could_not_be_written_holds_in_this_process(path: Path) -> None:
    database = Database(path)
    store = SQLiteStore(database)
    await store.taint([b"before"], until=100.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("ALTER TABLE taint RENAME TO elsewhere")
    await store.taint([b"a"], until=100.0)
    other.execute("ALTER TABLE elsewhere RENAME TO taint")
    other.close()
    assert await store.tainted([b"a", b"b"], 50.0) == {b"a"}
    await database.close()


async def test_work_goes_on_to_its_end_when_its_asker_is_cancelled(path: Path) -> None:
    database = Database(path)
    ledger = SQLiteLedger(database)
    made = await ledger.reserve(100, request="r", key="k", at=0.0, caps=Caps())
    assert isinstance(made, Reservation)
    asked = asyncio.create_task(ledger.settle(made, 30))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    spent = await ledger.spent(at=0.0)
    assert spent is not None
    assert (spent.total, spent.open) == (30, 0)
    await database.close()
