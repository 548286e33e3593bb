"""The vocabularies in use: fetched once, boiled down off the event loop, kept on disk, the last few in memory. Nothing is downloaded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from gateway.tokenizers.kept import KeptRecipes
from gateway.tokenizers.model_info import Unsupported
from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.recipe import recipe
from gateway.tokenizers.servers import Generation
from gateway.tokenizers.vocabulary import built

Load: TypeAlias = Callable[[], Awaitable[Mapping[str, object]]]

_REFUSALS = 64  # remembered, so that a model without a vocabulary is not asked for one at every turn


class VocabularyShelf:
    """Counters by model digest. Of several callers that want the same one, one builds it and all get it.

    `kept` vocabularies stay in memory (30 to 60 MB each), the longest unused goes first.
    """

    def __init__(self, folder: Path, *, kept: int = 2) -> None:
        self._disk = KeptRecipes(folder)
        self._kept = kept
        self._ready: OrderedDict[str, PromptCounter] = OrderedDict()
        self._refused: OrderedDict[str, Unsupported] = OrderedDict()
        self._building: dict[str, asyncio.Task[PromptCounter | Unsupported]] = {}

    async def get(self, digest: str, load: Load, *, generation: Generation = "new") -> PromptCounter | Unsupported:
        """The counter for a model. `load` gives `model_info` of a verbose `/api/show`; what it raises goes to all who wait."""
        key = f"{digest} {generation}"
        if (refused := self._refused.get(key)) is not None:
            return refused
        if (ready := self._ready.get(key)) is not None:
            self._ready.move_to_end(key)
            return ready
        task = self._building.get(key)
        if task is None:
            task = asyncio.create_task(self._build(key, load, generation))
            self._building[key] = task
            task.add_done_callback(lambda done: self._built(key, done))
        return await asyncio.shield(task)  # a client that leaves takes nobody's vocabulary with it

    def _built(self, key: str, task: asyncio.Task[PromptCounter | Unsupported]) -> None:
        del self._building[key]
        if not task.cancelled():
            task.exception()  # seen here too: those who waited may all have left

    async def _build(self, key: str, load: Load, generation: Generation) -> PromptCounter | Unsupported:
        made = await asyncio.to_thread(self._disk.get, key)
        if made is None:
            fresh = await asyncio.to_thread(recipe, await load(), generation=generation)
            if isinstance(fresh, Unsupported):
                return self._refuse(key, fresh)
            made = fresh
            await asyncio.to_thread(self._disk.put, key, made)
        vocabulary = await asyncio.to_thread(built, made)
        if isinstance(vocabulary, Unsupported):
            return self._refuse(key, vocabulary)
        counter = self._ready[key] = PromptCounter(vocabulary)
        while len(self._ready) > self._kept:
            self._ready.popitem(last=False)
        return counter

    def _refuse(self, key: str, why: Unsupported) -> Unsupported:
        self._refused[key] = why
        while len(self._refused) > _REFUSALS:
            self._refused.popitem(last=False)
        return why
