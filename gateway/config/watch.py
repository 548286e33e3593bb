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
    """Watch until cancelled. `swap` gets each new valid policy, `complain` the errors of an invalid one, "" once it is mended.

    A file is read once it has rested for one look: an editor that empties it before it writes must not open the door.
    """
    taken = seen = _stamp(file)
    while True:
        await asyncio.sleep(every)
        before, seen = seen, _stamp(file)
        if seen == taken or seen != before:
            continue
        taken = seen
        try:
            swap(await asyncio.to_thread(_changed, file))
        except BadPolicy as error:
            log.error("the policy was changed, but not taken; the old one holds", file=str(file), errors=error.errors)
            complain(f"the policy was changed, but not taken: {error}")
        except Exception as error:  # whatever a policy holds, the gateway goes on under the old one
            log.error("the policy was changed, but can't be used; the old one holds", error=type(error).__name__)
            complain(f"the policy was changed, but can't be used: {type(error).__name__}; undo the last edit")
        else:
            log.info("the policy was changed and holds now", file=str(file))
            complain("")


def _changed(file: Path) -> Policy:
    """The policy in a file that was changed. Raises BadPolicy, also for an empty one: that is half an edit, and no wish."""
    policy = load(file)
    if file.stat().st_size == 0:
        raise BadPolicy([f"{file}: is empty; for the defaults write {{}} into it"])
    return policy


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What tells one state of a file from another; editors replace files, so the inode counts."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
