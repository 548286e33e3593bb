"""How a command ends: its exit status, and the exception for one that could not run."""

from __future__ import annotations

FINE, FOUND, COULD_NOT_RUN = 0, 1, 2


class CannotRun(Exception):
    """A command could not do what it was asked; the message says what to change."""
