"""The audit log: every tampering is found at its line, every cut by a kill is tolerated and told, and its size is bounded."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.ports import AuditEntry
from gateway.telemetry.audit import AuditLog
from gateway.telemetry.audit_chain import HEAD, NAME, Checked, check, entries, files

KEY, NOON = b"k" * 32, 1_700_000_000.0


def log_in(folder: Path, *, file_bytes: int = 1 << 20, older: int = 3) -> AuditLog:
    return AuditLog(folder, key=KEY, wall=lambda: NOON, file_bytes=file_bytes, older=older)


def entry(number: int = 0, **more: object) -> AuditEntry:
    return AuditEntry(event="away", request=f"r{number}", policy="p", target="gemini/pro", cost=12, **more)  # type: ignore[arg-type]


async def written(folder: Path, count: int, *, file_bytes: int = 1 << 20, older: int = 3) -> None:
    audit = log_in(folder, file_bytes=file_bytes, older=older)
    for number in range(count):
        assert await audit.write(entry(number))
    audit.close()


async def test_an_entry_holds_what_it_was_given_and_no_empty_field(tmp_path: Path) -> None:
    audit = log_in(tmp_path)
    await audit.write(entry(rules={"aws-key": 2}, findings=("ab12",), label="cloud-ok", prompt_tokens=7))
    audit.close()
    said = dict(next(entries(tmp_path)))
    mark = said.pop("mark")
    assert len(mark) == 32
    assert said == {
        "n": 1,
        "time": "2023-11-14T22:13:20.000+00:00",
        "event": "away",
        "request": "r0",
        "policy": "p",
        "label": "cloud-ok",
        "rules": {"aws-key": 2},
        "findings": ["ab12"],
        "target": "gemini/pro",
        "prompt_tokens": 7,
        "cost": 12,
    }
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


async def test_a_whole_log_is_fine_over_restarts(tmp_path: Path) -> None:
    assert check(tmp_path, KEY) == Checked()
    await written(tmp_path, 3)
    await written(tmp_path, 4)
    assert check(tmp_path, KEY) == Checked(lines=7, first=1)


async def test_the_wrong_key_fits_nowhere(tmp_path: Path) -> None:
    await written(tmp_path, 3)
    assert check(tmp_path, b"x" * 32).broken.startswith("audit.jsonl, line 1: its mark does not fit")


def _edit(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        path = folder / NAME
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return tamper


def _cheaper(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3].replace(b'"cost": 12', b'"cost": 10'), *lines[4:]]


def _unmarked(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], b"{}\n", *lines[4:]]


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (_edit(_cheaper), "audit.jsonl, line 4: its mark"),
        (_edit(lambda lines: [*lines[:3], *lines[4:]]), "audit.jsonl, line 4: its mark"),
        (_edit(lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]]), "audit.jsonl, line 4: its mark"),
        (_edit(lambda lines: [*lines[:3], lines[2], *lines[3:]]), "audit.jsonl, line 4: its mark"),
        (_edit(lambda lines: lines[1:]), "audit.jsonl, line 1: its mark"),
        (_edit(_unmarked), "audit.jsonl, line 5: its mark"),
        (_edit(lambda lines: [*lines[:3], b"\n", *lines[3:]]), "audit.jsonl, line 5: the line before it was changed"),
        (_edit(lambda lines: lines[:-2]), "audit.jsonl: 2 lines are missing at the end"),
        (_edit(lambda lines: []), "audit.jsonl: 6 lines are missing at the end"),
        (lambda folder: (folder / NAME).unlink(), "audit.jsonl: 6 lines are missing at the end"),
        (lambda folder: (folder / HEAD).unlink(), "audit.head is missing"),
        (
            lambda folder: (folder / HEAD).write_text(f"{6:020d} {'0' * 32}"),
            "audit.jsonl: its last line is not the one",
        ),
    ],
)
async def test_tampering_is_found(tmp_path: Path, tamper: Callable[[Path], object], where: str) -> None:
    await written(tmp_path, 6)
    tamper(tmp_path)
    assert check(tmp_path, KEY).broken.startswith(where)


async def test_a_line_cut_at_any_byte_is_told_and_the_log_goes_on(tmp_path: Path) -> None:
    await written(tmp_path, 2)
    second = (tmp_path / HEAD).read_bytes()
    await written(tmp_path, 1)
    whole = (tmp_path / NAME).read_bytes()
    start = len(b"".join(whole.splitlines(keepends=True)[:2]))
    for cut in range(start + 1, len(whole)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / NAME).write_bytes(whole[:cut])
        (folder / HEAD).write_bytes(second)
        torn = cut < len(whole) - 1  # only the line end is missing: the line is whole
        assert check(folder, KEY) == Checked(lines=2 + (not torn), first=1, torn=torn)
        await written(folder, 2)
        assert check(folder, KEY) == Checked(lines=4 + (not torn), first=1, torn=torn)
        shutil.rmtree(folder)


async def test_two_cuts_in_a_row_are_told(tmp_path: Path) -> None:
    await written(tmp_path, 2)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"n": 3, "ti\n{"n": 3, "torn": [1')
    await written(tmp_path, 1)
    assert check(tmp_path, KEY) == Checked(lines=3, first=1, torn=2)
    lines = (tmp_path / NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / NAME).write_bytes(b"".join([*lines[:2], lines[2][:-2] + b"\n", *lines[3:]]))
    assert "line 5: the line before it was changed" in check(tmp_path, KEY).broken


async def test_old_files_go_and_the_chain_holds(tmp_path: Path) -> None:
    await written(tmp_path, 40, file_bytes=500, older=3)
    kept = files(tmp_path)
    assert len(kept) == 4
    found = check(tmp_path, KEY)
    assert found.broken == ""
    assert found.first > 1
    assert found.first + found.lines == 41
    assert [said["n"] for said in entries(tmp_path)] == list(range(found.first, 41))
    kept[1].unlink()
    assert f"{kept[2].name}, line 1: its mark does not fit" in check(tmp_path, KEY).broken


async def test_a_kill_between_two_files_loses_nothing(tmp_path: Path) -> None:
    await written(tmp_path, 5)
    (tmp_path / NAME).rename(tmp_path / "audit-5.jsonl")
    assert check(tmp_path, KEY) == Checked(lines=5, first=1)
    await written(tmp_path, 2)
    assert check(tmp_path, KEY) == Checked(lines=7, first=1)


async def test_several_writers_share_one_chain(tmp_path: Path) -> None:
    logs = [log_in(tmp_path, file_bytes=4000) for _ in range(3)]
    done = await asyncio.gather(*(logs[number % 3].write(entry(number)) for number in range(60)))
    for each in logs:
        each.close()
    assert all(done)
    found = check(tmp_path, KEY)
    assert (found.broken, found.first + found.lines) == ("", 61)


async def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    audit = log_in(tmp_path)
    assert not await audit.write(entry())
    audit.close()


async def test_line_ends_in_names_stay_in_their_line(tmp_path: Path) -> None:
    audit = log_in(tmp_path)
    await audit.write(entry(key='a\n{"n": 2}\u2028\r', reasons=("späte\x00",)))
    audit.close()
    assert check(tmp_path, KEY) == Checked(lines=1, first=1)
    assert json.loads((tmp_path / NAME).read_bytes())["key"] == 'a\n{"n": 2}\u2028\r'
