"""What every part of the service is handed: time, dice, names and the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.ports import Clock, Journal, Store
from gateway.service.notices import Notices


@dataclass(frozen=True, slots=True)
class World:
    """The few things that are not a pure function of a request."""

    clock: Clock
    journal: Journal
    dice: Callable[[], float]
    """A draw from 0 to 1."""
    new_id: Callable[[], str]
    """Random letters and digits, for ids that a client sees."""
    wall: Callable[[], float]
    """Seconds since 1970."""
    store: Store
    notices: Notices = field(default_factory=Notices)
