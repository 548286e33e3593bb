"""`kill -9` at random points under load: the ledger never says too little, no cap is broken, the audit chain holds, and both agree."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.core.spending import Caps
from gateway.store.database import Database
from gateway.store.ledger import SQLiteLedger
from gateway.telemetry.audit_chain import check, entries
from tests.store.spender import AT, AT_ONCE, KEY, WORST

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("HOLDFAST_KILLS", "6"))
PROCESSES = 2


def killed(folder: Path, seeds: list[str], cap: int, dice: random.Random) -> None:
    """Let spenders run, and kill each at some point of its work."""
    command = [sys.executable, "-m", "tests.store.spender", str(folder)]
    running = [
        subprocess.Popen([*command, seed, str(cap)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for seed in seeds
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) in (b".", b"-"), process.stderr.read().decode()
    for process in running:
        time.sleep(dice.random() / 5)
        process.kill()
    for process in running:
        process.communicate()
        assert process.returncode == -9


@pytest.mark.parametrize("cap", [10_000_000, 12_000])
async def test_ledger_and_audit_are_consistent(tmp_path: Path, cap: int) -> None:
    dice = random.Random()
    (tmp_path / "sent").touch()
    for number in range(ROUNDS):
        killed(tmp_path, [f"{number}a", f"{number}b"][:PROCESSES], cap, dice)
        await consistent(tmp_path, cap)
    assert (tmp_path / "sent").read_text()


async def consistent(folder: Path, cap: int) -> None:
    sent = {id_: int(cost) for _, id_, cost in map(str.split, (folder / "sent").read_text().splitlines())}
    database = Database(folder / "holdfast.sqlite3")
    spent = await SQLiteLedger(database).spent(at=AT)
    await database.close()
    assert spent is not None
    unsettled = reservations(folder)
    audited = list(entries(folder))
    away = {str(each["reservation"]) for each in audited if each["event"] == "away"}
    back = {str(each["reservation"]): int(each.get("cost", 0)) for each in audited if each["event"] == "back"}

    assert check(folder, KEY).broken == ""
    assert spent.total <= cap
    assert spent.open == WORST * len(unsettled)
    # every sent request was audited before, and what it cost is in the ledger
    assert sent.keys() <= away
    assert spent.total >= sum(sent.values())
    # what came back was settled, at what it cost
    assert not back.keys() & unsettled
    assert {id_: sent[id_] for id_ in back} == back
    # only what a kill interrupted is unsettled: the ledger says exactly that much too much
    settled = {id_: cost for id_, cost in sent.items() if id_ not in unsettled}
    assert spent.total == sum(settled.values()) + WORST * len(unsettled)
    assert len(unsettled) <= AT_ONCE * PROCESSES * ROUNDS
    assert spent.day == spent.total == sum(spent.keys.values())


def reservations(folder: Path) -> set[str]:
    """Those that the file holds as not settled."""
    database = sqlite3.connect(folder / "holdfast.sqlite3")
    found = {str(id_) for (id_,) in database.execute("SELECT id FROM reservation")}
    database.close()
    return found


async def test_a_reservation_of_a_killed_process_still_counts(tmp_path: Path) -> None:
    (tmp_path / "sent").touch()
    killed(tmp_path, ["a"], 10_000_000, random.Random(1))
    before = len(reservations(tmp_path))
    database = Database(tmp_path / "holdfast.sqlite3")
    ledger = SQLiteLedger(database)
    spent = await ledger.spent(at=AT)
    assert spent is not None
    refused = await ledger.reserve(WORST, request="r", key="ann", at=AT, caps=Caps(total=spent.total + WORST - 1))
    assert isinstance(refused, str)
    assert spent.open == WORST * before
    await database.close()
