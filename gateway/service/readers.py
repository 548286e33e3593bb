"""Which parser reads a model's own text, for the tools that were offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.stream import Part, Text
from gateway.core.turn import Reader
from gateway.service.fitting import Fitted


def reader_for(fitted: Fitted) -> Callable[[bool], Reader]:
    """Makes readers for one turn; the argument says that a thought is open where the text begins."""
    return lambda thinking: Plain()


class Plain:
    """Reads everything as text."""

    open_call = None

    def feed(self, text: str) -> Iterator[Part]:
        yield Text(text)

    def close(self) -> Iterator[Part]:
        return iter(())

    cut = close
