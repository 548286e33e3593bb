"""Notices that the policy file changed: validate, build, then swap. A bad edit keeps the old policy and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.config.load import BadPolicy, load
from gateway.core.policy import Policy

log = structlog.get_logger()
_LOOK = 1.0  # seconds between two looks at the file


async def watch(
    file: Path, *, swap: Callable[[Policy], None], complain: Callable[[str], None], every: float = _LOOK
) -> None:
    """Watch until cancelled. `swap` gets each new valid policy, `complain` the errors of an invalid one, "" once it is mended."""
    seen = _stamp(file)
    while True:
        await asyncio.sleep(every)
        now = _stamp(file)
        if now == seen:
            continue
        seen = now
        try:
            swap(load(file))
        except BadPolicy as error:
            log.error("the policy was changed, but not taken; the old one holds", file=str(file), errors=error.errors)
            complain(f"the policy was changed, but not taken: {error}")
        else:
            log.info("the policy was changed and holds now", file=str(file))
            complain("")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What tells one state of a file from another; editors replace files, so the inode counts."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
