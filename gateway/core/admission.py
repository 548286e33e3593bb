"""Who may use an upstream now, who waits, who is turned away: a machine that decides and changes in one synchronous call.

One slot means one KV cache. So a slot stays with its session for a moment after a tool call, since the agent comes right
back; requests that nobody waits for let the others go first; and requests for the model that is loaded go before a switch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.policy.admission import AdmissionRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One request for a slot. `seconds` is how long it is expected to hold it; `background`: no person waits for it."""

    id: str
    session: str
    model: str
    background: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """The slot is theirs."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """In line; `seconds` is the wait expected now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The line is full; worth asking again after so many seconds."""

    seconds: float


Entry: TypeAlias = Admitted | Waiting | Refused


@dataclass(slots=True)
class _Place:
    ticket: Ticket
    since: float


class Admission:
    """Slots and line of one upstream. Every method takes `now` in seconds."""

    def __init__(self, slots: int, rules: AdmissionRules) -> None:
        self._slots = slots
        self._rules = rules
        self._running: dict[str, _Place] = {}
        self._line: list[_Place] = []
        self._kept: dict[str, float] = {}  # session -> until when a slot waits for it
        self._turns: dict[str, int] = {}  # session -> number of the turn at which it was last served
        self._turn = 0
        self._model = ""

    def enter(self, ticket: Ticket, now: float) -> Entry:
        """A request arrives."""
        self._forget(now)
        if ticket.session in self._kept and len(self._running) < self._slots and not ticket.background:
            del self._kept[ticket.session]
            self._start(_Place(ticket, now), now)
            return Admitted()
        wait = self.wait(now)
        if len(self._line) >= self._rules.queue or (self._line and wait > self._rules.longest_wait):
            return Refused(max(1.0, wait))
        self._line.append(_Place(ticket, now))
        return Admitted() if ticket.id in {each.id for each in self.admit(now)} else Waiting(wait)

    def leave(self, ticket: Ticket, now: float, *, comes_back: bool = False) -> None:
        """A request is done, or its client left, waiting or served. `comes_back`: its session is expected again at once."""
        self._line = [place for place in self._line if place.ticket.id != ticket.id]
        if self._running.pop(ticket.id, None) is not None and comes_back and self._rules.keep_slot > 0:
            self._kept[ticket.session] = now + self._rules.keep_slot

    def admit(self, now: float) -> list[Ticket]:
        """Those in line whose turn has come; they hold a slot from here on."""
        self._forget(now)
        admitted = []
        while self._line and len(self._running) + len(self._kept) < self._slots:
            place = min(self._line, key=lambda each: self._order(each, now))
            self._line.remove(place)
            self._start(place, now)
            admitted.append(place.ticket)
        return admitted

    def next_look(self, now: float) -> float | None:
        """Seconds until a kept slot falls free and `admit` may do more; None where nothing will change by itself."""
        if not self._line or not self._kept:
            return None
        return max(0.0, min(self._kept.values()) - now)

    def wait(self, now: float) -> float:
        """Seconds that a newcomer would wait, by what those before it are expected to take."""
        running = sum(max(0.0, place.ticket.seconds - (now - place.since)) for place in self._running.values())
        return (running + sum(place.ticket.seconds for place in self._line)) / self._slots

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._line)

    def _start(self, place: _Place, now: float) -> None:
        self._turn += 1
        self._turns[place.ticket.session] = self._turn
        while len(self._turns) > self._rules.queue * 4:
            del self._turns[min(self._turns, key=self._turns.__getitem__)]
        self._model = place.ticket.model
        self._running[place.ticket.id] = _Place(place.ticket, now)

    def _order(self, place: _Place, now: float) -> tuple[bool, bool, int, float]:
        """Smaller goes first: people before background, the loaded model before a switch, the session served longest ago."""
        aged = now - place.since > self._rules.patience
        background = place.ticket.background and not aged
        switch = place.ticket.model != self._model and not aged
        return background, switch, self._turns.get(place.ticket.session, 0), place.since

    def _forget(self, now: float) -> None:
        self._kept = {session: until for session, until in self._kept.items() if until > now}
