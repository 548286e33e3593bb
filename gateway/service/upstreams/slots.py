"""Slots as a wait: enters the admission machine of an upstream, sleeps until admitted, leaves whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.core.admission import Admission, Admitted, Refused, Ticket
from gateway.core.errors import Code, Problem
from gateway.ports import Clock
from gateway.service.refusal import Refusal


@dataclass(slots=True)
class Hold:
    """A held slot; set `comes_back` where the session is expected again at once."""

    waited: float = 0.0
    comes_back: bool = False


@dataclass(slots=True)
class Slots:
    """The slots of one upstream."""

    machine: Admission
    clock: Clock
    _wakers: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _alarm: asyncio.TimerHandle | None = None

    @property
    def running(self) -> int:
        return self.machine.running

    @property
    def waiting(self) -> int:
        return self.machine.waiting

    def wait(self) -> float:
        """Seconds that a newcomer would wait, as far as speeds are known."""
        return self.machine.wait(self.clock.now())

    @asynccontextmanager
    async def hold(self, ticket: Ticket) -> AsyncIterator[Hold]:
        """A slot for as long as the block runs. Raises Refusal where the line is full."""
        began = self.clock.now()
        entry = self.machine.enter(ticket, began)
        if isinstance(entry, Refused):
            raise Refusal(
                Problem(
                    Code.QUEUE_FULL,
                    "too many requests wait for this model server; ask again later",
                    retry_after=round(min(entry.seconds, 60.0)),
                )
            )
        held = Hold()
        try:
            if not isinstance(entry, Admitted):
                await self._turn_of(ticket)
            held.waited = self.clock.now() - began
            yield held
        finally:
            self.machine.leave(ticket, self.clock.now(), comes_back=held.comes_back)
            self._wake()

    async def _turn_of(self, ticket: Ticket) -> None:
        waker = self._wakers[ticket.id] = asyncio.get_running_loop().create_future()
        self._set_alarm()
        try:
            await waker
        finally:
            del self._wakers[ticket.id]

    def _wake(self) -> None:
        for ticket in self.machine.admit(self.clock.now()):
            waker = self._wakers.get(ticket.id)
            if waker is not None and not waker.done():
                waker.set_result(None)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Look again when a kept slot falls free."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        after = self.machine.next_look(self.clock.now())
        if after is not None:
            self._alarm = asyncio.get_running_loop().call_later(after + 0.001, self._wake)
