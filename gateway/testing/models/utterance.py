"""What a model that means to say a turn says next, given all that its prompt already holds of it.

Law: a prompt that ends in a beginning of the turn is continued exactly there, also where the model went round in a circle
meanwhile and found out of it again; anything else is answered with the whole turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.testing.ask import Think
from gateway.testing.models.dialects import Dialect
from gateway.testing.models.formats import Format
from gateway.testing.script import Turn

CIRCLE = "go"  # the one word of a model that goes round in circles
_CIRCLES = re.compile(f"\ufffd*(?:{CIRCLE})+")  # half a character may have come before
_ASTRAY = 400  # characters that circles may have added


def remainder(prompt: str, turn: Turn, shape: Format, dialect: Dialect, think: Think) -> str:
    """The rest of the turn after what stands behind the assistant's opener in the prompt."""
    readings = list(_readings(turn, shape, dialect, think))
    tails = list(_tails(prompt, shape.opener, longest=max(map(len, readings)) + len(shape.end) + _ASTRAY))
    for tail in tails:
        if (rest := _rest(tail, readings, shape.end)) is not None:
            return rest
    for tail in (_CIRCLES.sub("", tail) for tail in tails):
        meant = readings if tail else [_silent(turn, dialect)]  # a circle alone is text: no thought begins behind it
        if (rest := _rest(tail, meant, shape.end)) is not None:
            return rest
    return _after_foreign_thought(tails[-1] if tails else "", turn, dialect) or readings[0]


def _tails(prompt: str, opener: str, *, longest: int) -> Iterator[str]:
    """What stands behind each opener that could begin this turn, the longest first: harmony opens several times in one turn."""
    at = prompt.find(opener, max(0, len(prompt) - longest - len(opener)))
    while at >= 0:
        yield prompt[at + len(opener) :]
        at = prompt.find(opener, at + 1)


def _readings(turn: Turn, shape: Format, dialect: Dialect, think: Think) -> Iterator[str]:
    """The turn as it may stand after the opener: with its thought, with an empty one, with none."""
    if turn.raw:
        yield from (turn.raw, shape.open_thought + turn.raw, shape.shut_thought + turn.raw)
        return
    silent = dialect.write(replace(turn, thinking=""))
    empty = f"{dialect.think[0]}{dialect.think[1]}"
    if think:
        yield empty + silent if dialect.thinks_aloud and not turn.thinking else dialect.write(turn)
        yield from (empty + silent, shape.shut_thought + silent)
    yield silent
    yield from (shape.shut_thought + silent, empty + silent, dialect.write(turn))


def _rest(tail: str, readings: Sequence[str], end: str) -> str | None:
    """What is left of the first reading that begins so; None where none does."""
    return next((reading[len(tail) :] for reading in readings if (reading + end).startswith(tail)), None)


def _silent(turn: Turn, dialect: Dialect) -> str:
    return turn.raw or dialect.write(replace(turn, thinking=""))


def _after_foreign_thought(tail: str, turn: Turn, dialect: Dialect) -> str:
    """A thought that is closed already, but is not the model's own: it goes on with what comes after."""
    opener, closer = (part.strip() for part in dialect.think)
    thought = re.match(rf"{re.escape(opener)}.*?{re.escape(closer)}\s*", tail, re.DOTALL)
    silent = dialect.write(replace(turn, thinking=""))
    said = tail[thought.end() :] if thought else ""
    return silent[len(said) :] if thought and silent.startswith(said) else ""
