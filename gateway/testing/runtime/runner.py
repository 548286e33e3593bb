"""A loaded model: its window, its slots with what they remember of the last prompt, and how it dies."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.testing.generations import Cause
from gateway.testing.models.model import SimModel


@dataclass(slots=True, eq=False)
class Slot:
    """One place to generate in. `cache` holds the tokens whose keys and values are still there."""

    cache: list[int] = field(default_factory=list)
    busy: bool = False

    def known(self, prompt: Sequence[int]) -> int:
        """How many tokens at the prompt's beginning need not be read again; the last one always is."""
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(self.cache, prompt, strict=False))
        return min(sum(1 for _ in same), max(0, len(prompt) - 1))


class Runner:
    """A runner process. Whoever generates holds one of its slots; `died` says why it is gone."""

    def __init__(
        self, model: SimModel, *, window: int, wanted: int, options: tuple[object, ...], parallel: int
    ) -> None:
        self.model = model
        self.window = window
        self.wanted = wanted  # the window that the server meant to give it, before memory ran short
        self.options = options
        self.parallel = parallel
        self.expires_at: float | None = None
        self.died: Cause | None = None
        self.wedged = False
        self.users = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._slots = [Slot() for _ in range(parallel)]
        self._free = asyncio.Semaphore(parallel)

    @property
    def memory(self) -> float:
        return self.model.memory(self.window, self.parallel)

    @asynccontextmanager
    async def slot(self, prompt: Sequence[int]) -> AsyncIterator[Slot]:
        """The free slot that remembers most of the prompt; waits without limit for one, as Ollama does.

        A wedged runner gives none: what waits then waits until its client leaves (0.24.0, after a parser error).
        """
        async with self._free:
            if self.wedged:
                await asyncio.Event().wait()
            slot = max((slot for slot in self._slots if not slot.busy), key=lambda slot: slot.known(prompt))
            slot.busy = True
            try:
                yield slot
            finally:
                slot.busy = False

    def enter(self) -> None:
        self.users += 1
        self.idle.clear()

    def leave(self) -> None:
        self.users -= 1
        if not self.users:
            self.idle.set()
