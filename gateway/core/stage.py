"""The one shape of everything that reads a stream bit by bit: feed it, then close it. It never raises on model output."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """A parser with its state inside. Law: any chunking of the same input gives the same output, joined."""

    def feed(self, item: In) -> Iterable[Out]:
        """Take the next piece, give what is now certain."""
        ...

    def close(self) -> Iterable[Out]:
        """No more will come: what is left over becomes output or stays readable as damage."""
        ...
