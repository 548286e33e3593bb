"""Answers under way, each made once: several clients may follow one, and a client may come back to one that it left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.core.errors import Code, Problem
from gateway.core.stream import Part, Reasoning, Text
from gateway.service.refusal import Refusal
from gateway.service.turn.conductor import Conductor
from gateway.service.world import World

_LEAD = 4096  # parts that an answer may run ahead of its fastest reader before its upstream has to wait


class Flight:
    """One answer being made. Its parts are kept, so that whoever follows it gets all of them from the first."""

    def __init__(self, conductor: Conductor, world: World) -> None:
        self.conductor = conductor
        self.problem: Problem | None = None
        self.ended = False
        self.delivered = False
        self.followers = 0
        self._clock = world.clock
        self._journal = world.journal
        self.touched = self._clock.now()
        self._parts: list[Part] = []
        self._waiting: set[asyncio.Future[bool]] = set()
        self._room = asyncio.Event()
        self._furthest = 0
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    async def follow(self, heartbeat: float) -> AsyncGenerator[list[Part], None]:
        """Batches of parts; an empty batch for each `heartbeat` seconds of silence. Raises Refusal where the answer failed."""
        self.followers += 1
        self.touched = self._clock.now()
        self._start()
        at = 0
        try:
            while True:
                if at < len(self._parts):
                    batch, at = self._parts[at:], len(self._parts)
                    self._furthest = max(self._furthest, at)
                    self._room.set()
                    yield batch
                elif self.problem is not None:
                    self.delivered = True
                    raise Refusal(self.problem)
                elif self.ended:
                    self.delivered = True
                    return
                elif not await self._wait(heartbeat):
                    yield []
        finally:
            self.followers -= 1
            self.touched = self._clock.now()
            if self.followers == 0 and not self.ended:
                self._left()

    def _left(self) -> None:
        """Nobody follows it any more: it ends now, or after policy's `linger` where nobody has come back by then."""
        linger = self.conductor.asked.policy.recovery.linger
        if not linger:
            self.stop()
            return
        asyncio.get_running_loop().call_later(linger, lambda: None if self.followers else self.stop())

    def stop(self) -> None:
        """Nobody listens any more: the upstream's connection is closed, what was made is kept."""
        if self._task is not None:
            self._task.cancel()

    async def _wait(self, seconds: float) -> bool:
        """Whether there is something new within so many seconds. Bare futures: it happens for every token."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        late = loop.call_later(seconds, _tell, waiter, False)
        self._waiting.add(waiter)
        try:
            return await waiter
        finally:
            late.cancel()
            self._waiting.discard(waiter)

    def _tell_all(self) -> None:
        for waiter in self._waiting:
            _tell(waiter, True)

    def _start(self) -> None:
        if not self.ended and (self._task is None or self._task.cancelling() or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._fly(self._task))

    def _keep(self, batch: list[Part]) -> None:
        """Raises Refusal where the answer has grown beyond all measure."""
        self._parts.extend(batch)
        self._size += sum(len(part.text) for part in batch if isinstance(part, Text | Reasoning))
        most = self.conductor.asked.policy.limits.answer_bytes
        if self._size > most:
            raise Refusal(
                Problem(
                    Code.UPSTREAM_FAILED,
                    f"The model's answer grew beyond {most >> 20} MB and was stopped (policy: limits, answer_bytes).",
                )
            )

    async def _read_on(self) -> None:
        """Wait for the readers, where the answer has run far ahead of them all. Raises Refusal where none of them reads."""
        patience = self.conductor.asked.policy.timeouts.unread
        while len(self._parts) - self._furthest > _LEAD:
            self._room.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._room.wait()
            except TimeoutError:
                text = "Nobody has read on for a long while, so that the rest was not made (policy: timeouts, unread)."
                raise Refusal(Problem(Code.UNREAD, text)) from None

    async def _fly(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        how = "left"
        try:
            async with aclosing(self.conductor.run()) as batches:
                async for batch in batches:
                    self._keep(batch)
                    self._tell_all()
                    await self._read_on()
            how, self.ended = "answered", True
        except Refusal as refusal:
            how, self.problem, self.ended = refusal.problem.code, refusal.problem, True
        except Exception as error:
            how = "failed"
            self._journal.failed(self.conductor.asked.id, error)
            self.problem = Problem(Code.INTERNAL, "the gateway itself failed; its log tells where")
            self.ended = True
        finally:
            self._tell_all()
            self._journal.note(self.conductor.outcome(how))


def _tell(waiter: asyncio.Future[bool], news: bool) -> None:
    if not waiter.done():
        waiter.set_result(news)
