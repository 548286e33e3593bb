"""The audit log: one line for each thing that went away, came back or was kept, on disk before anything is sent."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.ports import AuditEntry
from gateway.telemetry.audit_chain import HEAD, NAME, End, Head, end_of, files, line_of

log = structlog.get_logger()

FILE_BYTES = 32 << 20  # a file that is longer becomes an older one
OLDER = 15  # of them are kept: half a gigabyte in all
_TAIL = 1 << 18  # the last lines are in here: an entry is far shorter
_FINDINGS = 256  # hashes in an entry


class AuditLog:
    """Appends to the log in a folder, which several processes may do at once. `key` marks the lines, `wall` tells seconds since 1970."""

    def __init__(
        self, folder: Path, *, key: bytes, wall: Callable[[], float], file_bytes: int = FILE_BYTES, older: int = OLDER
    ) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._key = key
        self._wall = wall
        self._file_bytes = file_bytes
        self._older = older
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")

    async def write(self, entry: AuditEntry) -> bool:
        """Append it; on disk when this returns. False where it can't be written: then nothing may leave."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.shield(loop.run_in_executor(self._thread, self._append, entry))
        except (OSError, ValueError) as error:
            remedy = "free space or mend the rights of the state directory; until then nothing leaves"
            log.error("audit failed", file=str(self._path), why=type(error).__name__, remedy=remedy)
            return False
        return True

    def close(self) -> None:
        """After what is being written."""
        self._thread.shutdown()

    def _append(self, entry: AuditEntry) -> None:
        with self._locked():
            end, size = self._end()
            if size > self._file_bytes:
                self._turn(end.head)
                end, size = End(end.head, end.torn), 0
            said = {
                "time": datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds"),
                **({"after": end.head.mark} if not size and end.head.number else {}),
                **({"torn": end.torn} if end.torn else {}),
                **_plain(entry),
            }
            line, head = line_of(said, end.head, self._key)
            _append(self._path, b"\n" + line if end.open else line)
            _overwrite(self._folder / HEAD, f"{head.number:020d} {head.mark}\n".encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else writes meanwhile. A lock ends with its process."""
        file = os.open(self._folder / "audit.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _end(self) -> tuple[End, int]:
        """How the log ends, and the size of its newest file."""
        there = files(self._folder)
        if not there:
            return End(), 0
        with there[-1].open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            end = end_of(file.read().split(b"\n", 1)[1] if size > _TAIL else file.read())
        return end, size if there[-1] == self._path else 0

    def _turn(self, head: Head) -> None:
        """Make the file an older one, named by its last line, and drop those beyond the bound."""
        self._path.rename(self._folder / f"audit-{head.number}.jsonl")
        for path in files(self._folder)[: -self._older]:
            path.unlink()


def _plain(entry: AuditEntry) -> dict[str, object]:
    plain = {key: value for key, value in asdict(entry).items() if value not in ("", (), {}, 0)}
    return plain | ({"findings": entry.findings[:_FINDINGS]} if entry.findings else {})


def _append(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(file, data) != len(data):
            raise OSError("the line was not written whole")
        os.fsync(file)
    finally:
        os.close(file)


def _overwrite(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(file, data, 0)
    finally:
        os.close(file)
