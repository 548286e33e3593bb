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


def one_line(text: str, chars: int) -> str:
    """`text` with each run of white space made a blank, and of that at most `chars` characters, as by `clipped`."""
    return clipped(" ".join(text[: 4 * chars].split()), chars)  # white space is hardly ever three quarters of a text


def clipped(line: str, chars: int) -> str:
    """The first `chars` characters of `line` (0 gives ""); an ellipsis stands for the rest."""
    if len(line) <= chars:
        return line
    return f"{line[:chars]}…" if chars else ""


def lines_of(text: str) -> str:
    """How many lines `text` has, in words."""
    count = text.removesuffix("\n").count("\n") + 1
    return "1 line" if count == 1 else f"{count:,} lines"
