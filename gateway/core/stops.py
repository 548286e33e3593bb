"""The client's stop sequences, matched by us: they hold across pieces, seams and attempts."""

from __future__ import annotations


class StopMatcher:
    """Text in, text out up to the first stop sequence; what could begin one is held until it is certain."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self.stops = stops
        self._held = ""
        self.hit = False

    def feed(self, text: str) -> str:
        """What may be shown of all that came; nothing after a hit."""
        if not self.stops:
            return text
        if self.hit:
            return ""
        text = self._held + text
        found = [at for stop in self.stops if (at := text.find(stop)) >= 0]
        if found:
            self.hit, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self.stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def close(self) -> str:
        """What was held and turned out to be text."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    for size in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
