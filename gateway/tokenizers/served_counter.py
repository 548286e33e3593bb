"""The port `Counter` over the shelf: counts a rendered prompt as the server that rendered it will."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from gateway.ports import Driver, UpstreamFailed
from gateway.tokenizers.model_info import Unsupported
from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.runs import TooManyRuns
from gateway.tokenizers.servers import Generation, generation_of
from gateway.tokenizers.shelf import VocabularyShelf

_LONG = 50_000  # characters; where more of a prompt is new it is counted off the event loop (this many take 5 ms)


class ServedCounter:
    """Exact counts for models whose upstream gives their vocabulary."""

    def __init__(self, shelf: VocabularyShelf) -> None:
        self._shelf = shelf
        self._generations: WeakKeyDictionary[Driver, Generation] = WeakKeyDictionary()

    async def exact(self, prompt: str, *, model: str, digest: str, driver: Driver) -> int | None:
        """Tokens of the prompt; None where the vocabulary can't be had, or where its count would not be exact."""
        counter = await self._counter(model, digest, driver)
        if counter is None or not counter.vocabulary.exact:
            return None
        try:
            if len(prompt) <= _LONG or len(prompt) - counter.known(prompt) <= _LONG:
                return counter.count(prompt)
            return await asyncio.to_thread(counter.count, prompt)
        except TooManyRuns:
            return None

    async def part(self, *, model: str, digest: str, driver: Driver) -> Callable[[str], int] | None:
        """Counts stretches of text, special strings in them included; None where the vocabulary can't be had."""
        counter = await self._counter(model, digest, driver)
        return None if counter is None else counter.vocabulary.part

    async def _counter(self, model: str, digest: str, driver: Driver) -> PromptCounter | None:
        if not digest:
            return None

        async def load() -> Mapping[str, object]:
            return await driver.vocabulary(model) or {}

        try:
            found = await self._shelf.get(digest, load, generation=await self._generation(driver))
        except UpstreamFailed:
            return None
        return None if isinstance(found, Unsupported) else found

    async def _generation(self, driver: Driver) -> Generation:
        known = self._generations.get(driver)
        if known is None:
            known = self._generations[driver] = generation_of(await driver.alive())
        return known
