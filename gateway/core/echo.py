"""A new attempt beside what was sent already: nothing is sent twice, and where it says otherwise nothing more of it is sent."""

from __future__ import annotations


class Echo:
    """Compares a new attempt with what was sent, from the first character; lets through what goes beyond it."""

    def __init__(self, thought: str, text: str) -> None:
        self._expected = {"thought": thought, "text": text}
        self._at = {"thought": 0, "text": 0}
        self.diverged = False
        self._over = not (thought or text)  # nothing is left to compare with

    @property
    def short(self) -> bool:
        """Not all of what was sent has come again."""
        return any(self._at[channel] < len(expected) for channel, expected in self._expected.items())

    def thought(self, piece: str) -> str:
        return piece if self._over else self._beyond("thought", piece)

    def text(self, piece: str) -> str:
        return piece if self._over else self._beyond("text", piece)

    def _beyond(self, channel: str, piece: str) -> str:
        if self.diverged:
            return ""
        expected, at = self._expected[channel], self._at[channel]
        if at >= len(expected):
            return piece
        self._at[channel] = at + len(piece)
        known = expected[at : at + len(piece)]
        if piece.startswith(known):
            self._over = not self.short
            return piece[len(known) :]
        self.diverged = True
        return ""
