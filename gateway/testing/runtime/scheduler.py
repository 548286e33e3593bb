"""Which models are in memory: loading, reloading when options change, making room, expiring, and the queue in front of it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from gateway.ports import Clock
from gateway.testing.ask import Ask
from gateway.testing.generations import Cause, Generation
from gateway.testing.models.model import SimModel
from gateway.testing.record import Asked
from gateway.testing.runtime.runner import Runner

OnLoad: TypeAlias = Callable[[int], Awaitable[None]]  # told the window; what befalls the loading happens in it

KEEP_ALIVE = 300.0
SMALLEST_WINDOW = 4
TIERS = (32_768, 4096)  # what an automatic window falls back to when memory is short
_RUNNER_OPTIONS = ("num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The computer and how Ollama is set up on it. `memory` in GiB, None for plenty."""

    memory: float | None = None
    default_window: int = 4096  # OLLAMA_CONTEXT_LENGTH
    parallel: int = 1  # OLLAMA_NUM_PARALLEL
    max_queue: int = 512  # OLLAMA_MAX_QUEUE


class Scheduler:
    """The runners of one server."""

    def __init__(self, clock: Clock, generation: Generation, machine: Machine) -> None:
        self._clock = clock
        self._generation = generation
        self._machine = machine
        self._loading = asyncio.Lock()
        self._pending = 0
        self._runners: dict[str, Runner] = {}
        self.loads = 0

    @property
    def loaded(self) -> list[Runner]:
        """The runners in memory, the one that stays longest first."""
        self._expire()
        return sorted(self._runners.values(), key=lambda runner: -(runner.expires_at or float("inf")))

    @asynccontextmanager
    async def use(self, model: SimModel, ask: Ask, asked: Asked, on_load: OnLoad) -> AsyncIterator[Runner]:
        """The model's runner with the options that the request wants, loaded if need be; stays loaded while it is used."""
        runner = await self._runner(model, ask, asked, on_load)
        asked.window = runner.window
        runner.enter()
        try:
            yield runner
        finally:
            runner.leave()
            self._keep(runner, ask)

    def unload(self, model: SimModel) -> None:
        """Forget the runner at once; a request that hangs in it stays hanging."""
        self._runners.pop(model.key, None)

    def kill(self, runner: Runner, cause: Cause, *, all_others: bool = False) -> None:
        """The runner's process ends; after a lack of memory Ollama gives up all others too."""
        runner.died = cause
        self._runners = {key: other for key, other in self._runners.items() if other is not runner and not all_others}

    async def _runner(self, model: SimModel, ask: Ask, asked: Asked, on_load: OnLoad) -> Runner:
        self._expire()
        window, options = self._wanted(model, ask)
        if found := self._fitting(model, window, options):
            return found
        if self._pending >= self._machine.max_queue:
            raise self._generation.error(Cause.QUEUE_FULL)
        self._pending += 1
        try:
            async with self._loading:
                return self._fitting(model, window, options) or await self._load(model, ask, asked, on_load)
        finally:
            self._pending -= 1

    def _wanted(self, model: SimModel, ask: Ask) -> tuple[int, tuple[object, ...]]:
        asked_for = ask.integer("num_ctx") or model.parameters.get("num_ctx") or self._machine.default_window
        window = max(SMALLEST_WINDOW, min(int(str(asked_for)), model.window))
        shift = ask.shift if self._generation.reloads_on_shift else None
        return window, (shift, *(str(ask.options.get(name)) for name in _RUNNER_OPTIONS))

    def _fitting(self, model: SimModel, window: int, options: tuple[object, ...]) -> Runner | None:
        runner = self._runners.get(model.key)
        fits = runner is not None and window in (runner.window, runner.wanted) and runner.options == options
        return runner if fits else None

    async def _load(self, model: SimModel, ask: Ask, asked: Asked, on_load: OnLoad) -> Runner:
        """Stop the model's old runner when its last user is done, make room, start the new one."""
        window, options = self._wanted(model, ask)
        if old := self._runners.get(model.key):
            await old.idle.wait()
            self.unload(model)
            asked.reloaded = True
        given = self._roomy(model, ask, window)
        runner = Runner(model, window=given, wanted=window, options=options, parallel=self._machine.parallel)
        asked.loaded = True
        self.loads += 1
        await on_load(runner.window)
        await self._clock.sleep(model.load_seconds)
        self._runners[model.key] = runner
        return runner

    def _roomy(self, model: SimModel, ask: Ask, window: int) -> int:
        """The window that there is memory for, after idle runners have made room."""
        automatic = "num_ctx" not in ask.options and "num_ctx" not in model.parameters
        smaller = [tier for tier in TIERS if tier < window] if automatic and self._generation.new else []
        for size in (window, *smaller[:1]):
            if self._free_after(model.memory(size, self._machine.parallel)):
                return size
        need = model.memory(window, self._machine.parallel)
        raise self._generation.error(Cause.LOAD_MEMORY, need=need, have=self._machine.memory or 0.0)

    def _free_after(self, need: float) -> bool:
        """Whether `need` GiB are free once idle runners, the next to expire first, have gone."""
        for runner in (None, *reversed(self.loaded)):
            if runner is not None and not runner.users:
                del self._runners[runner.model.key]
            taken = sum(other.memory for other in self._runners.values())
            if self._machine.memory is None or need + taken <= self._machine.memory:
                return True
        return False

    def _keep(self, runner: Runner, ask: Ask) -> None:
        seconds = KEEP_ALIVE if ask.keep_alive is None else ask.keep_alive
        runner.expires_at = None if seconds < 0 else self._clock.now() + seconds
        self._expire()

    def _expire(self) -> None:
        now = self._clock.now()
        for key, runner in list(self._runners.items()):
            if not runner.users and runner.expires_at is not None and runner.expires_at <= now:
                del self._runners[key]
