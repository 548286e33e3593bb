"""Makes compaction plans, one at a time: short ones at once, long ones in a thread, so that a long history holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.core.compaction import Compaction

_SHORT = 30_000  # tokens of a history, which are planned for in some milliseconds even where nothing of it is known


class Planning:
    """Plans share memories that are not for two threads at once: while one is made in the thread, all others wait in its line."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plans")
        self._in_line = 0

    async def made(self, plan: Callable[[], Compaction], *, tokens: int) -> Compaction:
        """What `plan` makes of a history of so many tokens. Raises what it raises."""
        if not self._in_line and tokens <= _SHORT:
            return plan()
        self._in_line += 1
        job = self._thread.submit(plan)
        made = asyncio.wrap_future(job)
        made.add_done_callback(self._over)
        try:
            return await asyncio.shield(made)  # who leaves does not stop the thread, and must not open the line
        except asyncio.CancelledError:
            job.cancel()  # if it has not begun, it never will
            raise

    def _over(self, job: asyncio.Future[Compaction]) -> None:
        self._in_line -= 1
        if not job.cancelled():
            job.exception()  # told to who waited, if anybody still did
