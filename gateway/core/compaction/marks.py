"""How the gateway marks in a text what it replaced: `[holdfast: …]`, in this one style and in nobody else's voice.

Law: a mark stands where an output, an argument or a user's message stood, never alone as an assistant's words, which a model would imitate.
"""

from __future__ import annotations

OPENER = "[holdfast: "


def mark(note: str) -> str:
    """The mark that says `note`."""
    return f"{OPENER}{note}]"


def marked(text: str) -> bool:
    """Whether `text` holds a mark. A model that writes one has copied it: what it wrote is not what it means."""
    return OPENER in text


def clipped(text: str, chars: int) -> str:
    """`text` in one line of at most `chars` characters (0 gives ""); an ellipsis stands for the rest."""
    line = " ".join(text.split())
    if len(line) <= chars:
        return line
    return f"{line[:chars]}…" if chars else ""


def lines_of(text: str) -> str:
    """How many lines `text` has, in words."""
    count = text.count("\n") + 1
    return "1 line" if count == 1 else f"{count:,} lines"
