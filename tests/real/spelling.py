"""A tool call taken apart, so that it can be cut at each class of place, or be given a value that breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from tests.real.script import Line, Script, write_script

Place = Literal["opener", "name", "key", "value", "between", "last value", "unclosed", "closers"]

PLACES: tuple[Place, ...] = get_args(Place)
TOOL = "write_file"
PATH = "notes.py"
CONTENT = "alpha = 1\nbeta = 'two'"
VISIBLE = "Writing it now."


@dataclass(frozen=True, slots=True)
class Spelling:
    """A call of `write_file` in seven parts, and a last value that cannot be told from markup where it stands raw.

    The parts: opener, name, up to the first value, first value, up to the last value, last value, closers.
    """

    parts: tuple[str, str, str, str, str, str, str]
    unbearable: str

    @property
    def whole(self) -> str:
        return "".join(self.parts)

    @property
    def malformed(self) -> str:
        return "".join((*self.parts[:5], self.unbearable, self.parts[6]))

    def cuts(self, markers: tuple[str, ...]) -> dict[Place, int]:
        """Where a cut of each class falls, in characters from the start; closers of a few characters are not cut.

        A cut is in the middle of its part, but before a marker that stands there, since a marker is one token; only an
        opener that is nothing else is cut after it. "unclosed" is the end of the last value.
        """
        ends = [sum(map(len, self.parts[:count])) for count in range(8)]
        middles = [(start + end) // 2 for start, end in pairwise(ends)]
        found = dict(zip(PLACES, (*middles[:6], ends[6], middles[6]), strict=True))
        if len(self.parts[6]) < 2 * len('"}'):
            del found["closers"]
        return {place: _beside_marker(self.whole, cut, markers) for place, cut in found.items()}


def cut_scripts(
    line: Line, cuts: dict[Place, int], *, markers: tuple[str, ...], ends: Sequence[tuple[int, ...]] = ()
) -> Iterator[tuple[Script, dict[Place, int]]]:
    """As few scripts as can be that say the line with a token's end at each cut, and the `num_predict` for each cut of theirs.

    Of `ends`, further ends of tokens, the first are kept that leave every piece a place of its own.
    """
    left = dict(cuts)
    while left:
        taken: dict[Place, int] = {}
        for place, cut in left.items():
            if _write(line, {*taken.values(), cut}, markers) is not None:
                taken[place] = cut
        found = (_write(line, {*taken.values(), *more}, markers) for more in (*ends, ()))
        script = next((each for each in found if each is not None), None)
        if script is None or not taken:
            raise ValueError(f"cannot be cut: {left}")
        yield script, {place: script.tokens_to(cut) for place, cut in taken.items()}
        left = {place: cut for place, cut in left.items() if place not in taken}


def _write(line: Line, breaks: set[int], markers: tuple[str, ...]) -> Script | None:
    try:
        return write_script(Line(line.cues, line.says, tuple(breaks)), markers=markers)
    except ValueError:
        return None


def _beside_marker(text: str, cut: int, markers: tuple[str, ...]) -> int:
    for marker in markers:
        at = text.rfind(marker, 0, cut + len(marker) - 1)
        if 0 <= at < cut < at + len(marker):
            return at or len(marker)
    return cut
