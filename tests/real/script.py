"""What a saying model says: lines cut into pieces, of which each is found at one place only, so that it alone tells what follows."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

SHORTEST = 4  # characters of a piece; about what a real vocabulary has for a token of code
_SEAM = "\x00"  # stands between lines while pieces are looked for; a line may not hold it


@dataclass(frozen=True, slots=True)
class Line:
    """A text that is said when the prompt ends with one of `cues`; a token ends at each offset of `breaks`.

    The longest cue that fits wins, so a cue may reach back into the last words of the user's message and choose the
    text by them. An empty text ends the turn at once.
    """

    cues: tuple[str, ...]
    says: str
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Lines and their pieces, in the same order; `"".join(pieces[i]) == lines[i].says`."""

    lines: tuple[Line, ...]
    pieces: tuple[tuple[str, ...], ...]

    def tokens_to(self, offset: int, line: int = 0) -> int:
        """How many tokens say the line as far as `offset`, which must be an end of one: a `num_predict` that cuts there."""
        said = 0
        for count, piece in enumerate(self.pieces[line], start=1):
            said += len(piece)
            if said == offset:
                return count
        raise ValueError(f"no token of line {line} ends at {offset}; name it in Line.breaks")


def write_script(*lines: Line, markers: tuple[str, ...] = ()) -> Script:
    """Cut each line into short pieces that tell their place; only a break of the line's own cuts a marker in two.

    What repeats itself makes long pieces, at worst one. ValueError where a text between two breaks has no place of its own.
    """
    places = _Places(lines)
    return Script(lines, tuple(tuple(_pieces(line, markers, places)) for line in lines))


def _pieces(line: Line, markers: tuple[str, ...], places: _Places) -> list[str]:
    inside = _inside(line.says, markers)
    bounds = sorted({0, len(line.says), *line.breaks})
    starts = [start for begin, stop in pairwise(bounds) for start in _stretch(line.says, begin, stop, inside, places)]
    return [line.says[start:end] for start, end in pairwise([*starts, len(line.says)])]


def _inside(text: str, markers: tuple[str, ...]) -> set[int]:
    """Offsets at which no piece should end: within a marker, and after a blank, since servers trim the end of a prefix."""
    found = {end for end in range(1, len(text)) if text[end - 1].isspace()}
    for marker in markers:
        at = text.find(marker)
        while at >= 0:
            found.update(range(at + 1, at + len(marker)))
            at = text.find(marker, at + 1)
    return found


def _stretch(text: str, begin: int, stop: int, inside: set[int], places: _Places) -> list[int]:
    """Where the pieces of `text[begin:stop]` start; the last one takes in its neighbours until it is unique too."""
    starts: list[int] = []
    start: int | None = begin
    while start is not None and start < stop:
        starts.append(start)
        start = _end(text, start, stop, inside, places)
    while starts and not places.unique(text[starts[-1] : stop]):
        starts.pop()
    if begin < stop and not starts:
        raise ValueError(f"this text between two breaks stands at several places: {text[begin:stop]!r}")
    return starts


def _end(text: str, start: int, stop: int, inside: set[int], places: _Places) -> int | None:
    """The first good end of a unique piece: the length is doubled until it is unique, then halved (longer is never less so)."""
    low, high = start, min(start + SHORTEST, stop)
    while not places.unique(text[start:high]):
        if high == stop:
            return None
        low, high = high, min(start + 2 * (high - start), stop)
    while high - low > 1 and low > start:
        middle = (low + high) // 2
        low, high = (low, middle) if places.unique(text[start:middle]) else (middle, high)
    return next((end for end in range(high, stop) if end not in inside), stop)


class _Places:
    """Where a string stands in all that a prompt can end with: every cue with its line behind it."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._text = ""
        self._starts: list[int] = []  # of each cue in the text, ascending
        self._lines: list[tuple[int, int]] = []  # beside it: the line's number, and where its own text begins
        for number, line in enumerate(lines):
            for cue in line.cues:
                self._starts.append(len(self._text))
                self._lines.append((number, len(self._text) + len(cue)))
                self._text += cue + line.says + _SEAM

    def unique(self, piece: str) -> bool:
        """True when the same text follows the piece wherever it can be matched as a token."""
        seen: set[tuple[int, int]] = set()
        at = self._text.find(piece)
        while at >= 0 and len(seen) < 2:
            entry = bisect_right(self._starts, at) - 1
            number, begin = self._lines[entry]
            cue = self._text[self._starts[entry] : begin]
            if at >= begin or len(piece.encode()) > len(cue.encode()):  # a longer cue is matched first
                seen.add((number, at - begin))
            at = self._text.find(piece, at + 1)
        return len(seen) == 1
