"""How long the next part of an answer may take. One timer for all parts, looked at when it rings: `asyncio.timeout` for each of them costs 4 µs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Self, TypeVar

T = TypeVar("T")


class Patience:
    """Within a `with`, in one task: `next` raises TimeoutError where a part takes longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: float | None = None  # when the wait under way began
        self._ran_out = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._loop = task, asyncio.get_running_loop()
        self._cancelled_before = task.cancelling()
        self._timer = self._loop.call_later(self.seconds, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def becomes(self, seconds: float) -> None:
        """So long from now on."""
        self.seconds = seconds
        self._timer.cancel()
        self._look()

    async def next(self, stream: AsyncIterator[T]) -> T | None:
        """The next part, None at the stream's end."""
        self._since = self._loop.time()
        try:
            return await anext(stream, None)
        except asyncio.CancelledError:
            if self._ran_out and self._task.uncancel() <= self._cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            self._since = None

    def _look(self) -> None:
        """Only a wait under way can be too long, so that nothing else is ever cancelled."""
        waited = self._loop.time() - self._since if self._since is not None else 0.0
        if waited < self.seconds:
            self._timer = self._loop.call_later(self.seconds - waited, self._look)
        else:
            self._ran_out = True
            self._task.cancel()
