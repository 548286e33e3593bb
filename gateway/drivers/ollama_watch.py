"""Looks after a request that Ollama leaves without a byte: old servers can lose one for ever, and a look at `/api/ps` tells.

Two ways are known, both of v0.24.0, none of v0.33.3. A runner that is killed as it starts is waited for in an endless
loop: meanwhile no model is in memory, while one that loads is listed from the moment its process answers. And after an
error of its tool-call parser a token that nobody takes may hold the model's only place, until the model is unloaded.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded
from gateway.ports import UpstreamFailed

T = TypeVar("T")

_CROWDED = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. A wrong guess costs an attempt, so each is made a few times only, and then the caller's own patience holds.

    `suspect`: for the first part after an error of the parser; the prompt is still in the server's cache then.
    `empty`: with no model in memory at all, for the first and the second time. Where others are, which may have to make
    room first, a request that a loaded model answers at once has three times as long.
    """

    look: float = 5.0
    suspect: float = 10.0
    empty: tuple[float, ...] = (30.0, 120.0)


class Watch:
    """What one server does with the requests that wait in it. `loaded` asks it which models are in memory."""

    def __init__(self, loaded: Callable[[], Awaitable[Sequence[Loaded]]], patience: Patience | None = None) -> None:
        self._loaded = loaded
        self._patience = patience or Patience()
        self.hung: set[str] = set()  # models that answer nobody until they are unloaded
        self._suspects: set[str] = set()
        self._deaths: Counter[str] = Counter()

    @contextmanager
    def noting(self, model: str) -> Iterator[None]:
        """Around a request: remembers that the parser has failed on what this model wrote."""
        try:
            yield
        except UpstreamFailed as error:
            if error.failure.kind is FailureKind.PARSER:
                self._suspects.add(model)
            raise

    def answered(self, model: str) -> None:
        """It has made a part of an answer, so its place is free."""
        self._suspects.discard(model)

    async def over(self, waiting: Coroutine[object, object, T], model: str, *, quick: bool = False) -> T:
        """The result of `waiting`. Raises UpstreamFailed, and cancels it, where nothing will come of it any more.

        `quick`: a model in memory answers at once, whatever name it is listed by (two tags may share one).
        """
        task = asyncio.ensure_future(waiting)
        try:
            await self._until_done(task, model, quick=quick)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        found = task.result()
        self._deaths.pop(model, None)
        return found

    async def _until_done(self, task: asyncio.Task[T], model: str, *, quick: bool) -> None:
        now = asyncio.get_running_loop().time
        began = present = now()
        while not (await asyncio.wait([task], timeout=self._patience.look))[0]:
            models = await self._models()
            if models is None or model in models or (models and not quick):
                present = now()
            if now() - began > self._patience.suspect and model in self._suspects and models and model in models:
                self._suspects.discard(model)
                self.hung.add(model)
                detail = "after an error of its parser the server does not answer any more"
                raise UpstreamFailed(Failure(FailureKind.STALLED, detail))
            if now() - present > self._dead_after(model) * (_CROWDED if models else 1):
                self._deaths[model] += 1
                raise UpstreamFailed(Failure(FailureKind.CRASHED, "the server waits for a runner that is not there"))

    def _dead_after(self, model: str) -> float:
        known = self._deaths[model]
        return self._patience.empty[known] if known < len(self._patience.empty) else float("inf")

    async def _models(self) -> set[str] | None:
        """Names in memory, with and without `:latest`; None where the server does not tell."""
        try:
            names = {each.name for each in await self._loaded()}
        except UpstreamFailed:
            return None
        return names | {name.removesuffix(":latest") for name in names}
