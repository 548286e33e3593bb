"""The client's stop sequences, matched by us: they hold across pieces, seams and attempts."""

from __future__ import annotations


class StopMatcher:
    """Text in, text out up to the stop sequence that is complete first; what could begin one is held until it is certain."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.hit = False

    def feed(self, text: str) -> str:
        """What may be shown of all that came; nothing after a hit."""
        if not self.stops:
            return text
        if self.hit:
            return ""
        text = self._held + text
        start = self._first(text)
        if start is not None:
            self.hit, self._held = True, ""
            return text[:start]
        shown = len(text) - max(_overlap(text, stop) for stop in self.stops)
        self._held = text[shown:]
        return text[:shown]

    def close(self) -> str:
        """What was held and turned out to be text."""
        held, self._held = self._held, ""
        return held

    def _first(self, text: str) -> int | None:
        """Where the first sequence to be complete begins: as if the text had come character by character."""
        found = [(at + len(stop), at) for stop in self.stops if (at := text.find(stop)) >= 0]
        return min(found)[1] if found else None


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    at = text.find(stop[0], max(0, len(text) - len(stop) + 1))
    while at >= 0:
        if stop.startswith(text[at:]):
            return len(text) - at
        at = text.find(stop[0], at + 1)
    return 0
