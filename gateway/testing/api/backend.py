"""Everything behind the HTTP surface: models, engine, faults, and the book of what was asked."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence

from gateway.ports import Clock
from gateway.testing.api.catalogue import Catalogue
from gateway.testing.api.records import Records
from gateway.testing.ask import Ask
from gateway.testing.faults import Fault, Faults
from gateway.testing.generations import NEW, Generation
from gateway.testing.models.model import SimModel
from gateway.testing.record import Asked, Ended, Kind
from gateway.testing.runtime.engine import Engine
from gateway.testing.runtime.runner import Runner
from gateway.testing.runtime.scheduler import Machine, Scheduler


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class Backend:
    """One simulated server without its socket. Deterministic by `seed`, but for the time of day (give `born` and a clock).

    `remember`: how many requests stay in the book; all of them by default.
    """

    def __init__(
        self,
        models: Sequence[SimModel] = (),
        *,
        generation: Generation = NEW,
        faults: Iterable[Fault] = (),
        machine: Machine | None = None,
        clock: Clock | None = None,
        seed: int = 0,
        born: float | None = None,
        remember: int | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.generation = generation
        self.faults = Faults(faults)
        self.requests: list[Asked] = []
        self.seed = seed
        self.born = time.time() if born is None else born
        self.catalogue = Catalogue(models or [SimModel()], self.born)
        self.scheduler = Scheduler(self.clock, generation, machine or Machine())
        self.engine = Engine(self.clock, generation, self.scheduler, self.faults)
        self._remember = remember
        self._began = self.clock.now()
        self._noted = self._generations = 0

    @property
    def generations(self) -> list[Asked]:
        """The requests that made a model speak, or were meant to."""
        return [asked for asked in self.requests if asked.kind is Kind.GENERATION]

    @property
    def open_requests(self) -> list[Asked]:
        """Those that are not answered yet."""
        return [asked for asked in self.requests if asked.ended is Ended.OPEN]

    @property
    def loaded(self) -> list[Runner]:
        """The models in memory."""
        return self.scheduler.loaded

    @property
    def loads(self) -> int:
        """How often a runner was started; reloads are loads too."""
        return self.scheduler.loads

    def note(self, method: str, path: str) -> Asked:
        """Open a page in the book for a request."""
        self._noted += 1
        asked = Asked(number=self._noted, method=method, path=path, arrived=self.clock.now())
        self.requests.append(asked)
        if self._remember is not None:
            del self.requests[: -self._remember]
        return asked

    def classify(self, asked: Asked, ask: Ask) -> None:
        """What kind of request it is; generations are counted."""
        if ask.empty:
            asked.kind = Kind.UNLOAD if ask.keep_alive == 0 else Kind.LOAD
        elif ask.render_only:
            asked.kind = Kind.RENDER
        else:
            self._generations += 1
            asked.kind, asked.generation = Kind.GENERATION, self._generations

    def dice(self, asked: Asked) -> random.Random:
        """Chance for one request, the same for the same seed."""
        return random.Random(f"{self.seed} {asked.number}")  # noqa: S311

    def records(self, ask: Ask, model: SimModel, asked: Asked) -> Records:
        return Records(ask, model, self.generation, self.time_of_day, self.dice(asked))

    def time_of_day(self, at: float | None = None) -> float:
        """A moment of the clock, now by default, as seconds since 1970."""
        return self.born + (self.clock.now() if at is None else at) - self._began
