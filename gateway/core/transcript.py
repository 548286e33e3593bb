"""What the model has written so far in this turn, as it wrote it: what a continuation goes on from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThinkTags:
    """How a family writes a thought into its text, with the white space of its template; `says` begins a text without one."""

    opens: str = "<think>\n"
    closes: str = "\n</think>\n\n"
    says: str = ""


class Transcript:
    """Thought and text as a server's parser tells them, or the verbatim text where it is known. Pieces are joined when asked."""

    def __init__(self) -> None:
        self._thought: list[str] = []
        self._text: list[str] = []
        self._raw: list[str] | None = None

    def add_thought(self, piece: str) -> None:
        self._thought.append(piece)

    def add_text(self, piece: str) -> None:
        (self._text if self._raw is None else self._raw).append(piece)

    def add_raw(self, piece: str) -> None:
        if self._raw is None:
            self._raw = []
        self._raw.append(piece)

    def continue_raw(self, so_far: str) -> None:
        """From here on everything comes verbatim, after `so_far`."""
        self._raw = [so_far]
        self._thought, self._text = [], []

    @property
    def verbatim(self) -> bool:
        return self._raw is not None

    @property
    def written(self) -> str:
        """The verbatim text, as far as it is known."""
        return "".join(self._raw or ())

    @property
    def thought(self) -> str:
        return "".join(self._thought)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def pieces(self) -> int:
        """Pieces received."""
        return len(self._raw) if self._raw is not None else len(self._thought) + len(self._text)

    @property
    def size(self) -> int:
        """Characters received."""
        return sum(map(len, self._raw if self._raw is not None else [*self._thought, *self._text]))

    def raw(self, tags: ThinkTags, *, opened: bool) -> str:
        """All of it as the model wrote it; `opened` says that the template has begun the thought already."""
        if self._raw is not None:
            return "".join(self._raw)
        thought, text = self.thought, self.text
        if not thought:
            return (tags.closes if opened else tags.says) + text if text else ""
        begun = thought if opened else tags.opens + thought
        return begun + tags.closes + text if text else begun
