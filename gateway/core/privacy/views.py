"""Other readings of a text in which a secret may hide: escapes undone, base64 and its like decoded, invisible characters dropped, lines joined.

Law: a reading can only add findings. Only lines that read differently are in it, so that plain code costs next to nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.core.privacy.decoding import decoded
from gateway.core.privacy.strangeness import strangeness

_DEPTH = 6  # JSON in JSON in an address, and once more of each; plain code has nothing left to undo after two
_LONGEST = 4 << 20  # characters that all readings of one text may hold together, many times what honest text makes


@dataclass(frozen=True, slots=True)
class View:
    """A reading. Where it joins what is apart in the text, `seams` say so: only what crosses one of them is new."""

    text: str
    seams: Sequence[int] = ()

    def news(self, start: int, end: int) -> bool:
        """Whether a match from `start` to `end` says what the text itself does not."""
        if not self.seams:
            return True
        after = bisect_right(self.seams, start)
        return after < len(self.seams) and self.seams[after] < end


def views(text: str) -> Iterator[View]:
    """The readings of a text beside itself; stops early on text that is made to blow up."""
    size = 0
    for view in _views(text, _DEPTH):
        size += len(view.text)
        yield view
        if size > _LONGEST + 2 * len(text):
            raise TooManyViews


class TooManyViews(Exception):
    """The readings of a text are many times the text; it counts as unreadable."""


def _views(text: str, depth: int) -> Iterator[View]:
    lines = text.split("\n")
    if not text.isascii():
        shown = [line if line.isascii() else _visible(line) for line in lines]
        if changed := [new for new, old in zip(shown, lines, strict=True) if new != old]:
            yield View("\n".join(changed))
            lines, text = shown, "\n".join(shown)
    joined = _joined(lines)
    if joined:
        yield joined
    if depth:
        readings = (
            _unescaped(text, lines),
            _unquoted(text, lines),
            _unmarked(text, lines),
            _glued(lines),
            decoded(text),
        )
        for reading in (*readings, decoded(joined.text) if joined else ""):
            if reading:
                # What does not decode is no sign of a binary file.
                plain = reading.replace("\0", " ").replace("\ufffd", " ")
                yield View(plain)
                yield from _views(plain, depth - 1)


# What does not show, and marks that strike letters out or pile up on them: those of a plain text are one with their letter.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеіјорсѕухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαν", "ABESIJKMHOPCTYXaeijopcsyxhdqwABEZHIKMNOPTYXoav"
)  # Cyrillic, Greek
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")


def _visible(line: str) -> str:
    """Without what does not show, and with look-alike forms (full width, mathematical or Cyrillic letters) made plain.

    Which letters there are is asked first: a line may be a whole program, and most of what is not ASCII is no such form.
    """
    if _UNSEEN.search(odd := _odd(line)):
        line = _UNSEEN.sub("", line)
    if unicodedata.normalize("NFKC", odd) != odd:
        line = unicodedata.normalize("NFKC", line)
        odd = _odd(line)
    if any(map(str.isdigit, odd)):
        line = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0], 0)), line)
    return line if _ALIKE.keys().isdisjoint(map(ord, odd)) else line.translate(_ALIKE)


def _odd(line: str) -> str:
    return "".join([letter for letter in set(line) if letter > "\x7f"])


_ESCAPE = re.compile(
    r"\\(?:u(?P<four>[0-9a-fA-F]{4})|x(?P<two>[0-9a-fA-F]{2})|u\{(?P<any>[0-9a-fA-F]{1,5})\}|U000(?P<eight>[0-9a-fA-F]{5})"
    r"|(?P<octal>[01]?[0-7]{2}))"
)
_KEPT = "\ue000"  # stands for a backslash that was escaped itself, while the others are undone


def _unescaped(text: str, lines: Sequence[str]) -> str:
    """The lines with backslashes, as JSON, C, Python or a shell would read them."""
    if "\\" not in text:
        return ""
    said = "\n".join(line for line in lines if "\\" in line)
    plain = (
        said.replace("\\\\", _KEPT).replace("\\n", "\n").replace('\\"', '"').replace("\\t", "\t").replace("\\r", "\n")
    )
    return _ESCAPE.sub(_letter, plain).replace("\\", "").replace(_KEPT, "\\")


def _letter(escape: re.Match[str]) -> str:
    digits = escape[escape.lastgroup or 0]
    return chr(int(digits, 8 if escape.lastgroup == "octal" else 16))


_PERCENT = re.compile("%[0-9A-Fa-f]{2}")


def _unquoted(text: str, lines: Sequence[str]) -> str:
    """The lines with percent-encoding (RFC 3986), decoded; a plus may be one, or a blank as forms write it."""
    if "%" not in text:
        return ""
    said = "\n".join(line for line in lines if "%" in line and _PERCENT.search(line))
    return unquote(f"{said}\n{said.replace('+', ' ')}" if "+" in said else said)


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")


def _unmarked(text: str, lines: Sequence[str]) -> str:
    """The lines with HTML entities, decoded."""
    if "&" not in text:
        return ""
    return html.unescape("\n".join(line for line in lines if "&" in line and _ENTITY.search(line)))


_GLUES = ('" + "', "' + '", '"+"', "'+'")
_GLUE = re.compile(r"[\"'][ \t]*\+[ \t]*[\"']")


def _glued(lines: Sequence[str]) -> str:
    """The lines with strings that are put together in them, put together."""
    sums = [line for line in lines if "+" in line]
    return _GLUE.sub("", "\n".join(line for line in sums if any(glue in line for glue in _GLUES)))


_BREAKS_OFF = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-.~%$@&!*^#")
_TAIL = "\\\"'+ \t\r"  # what may follow the break: a continuation, a closing quote and a plus
_MAY_BREAK_OFF = _BREAKS_OFF | frozenset(_TAIL)
# What may come before the rest: indentation, a line number, the mark of a diff, a comment or a quotation, an opening quote.
_HEAD = re.compile(r"\A[ \t]*(?:\d{1,6}[\t|:\u2192][ \t]?|[+>|*#-](?=[ \t\w])|//|[\"'])?[ \t]*[\"']?")
_NUMBER = re.compile(
    r"-?(?:0x[0-9a-fA-F]{1,8}|\d{1,6})"
)  # alone, before a word in the next line: the end of a definition
_WORD = 8  # characters of two ends that may be a secret's
_PARTS = frozenset("}])>,;")


def _joined(lines: Sequence[str]) -> View | None:
    """Lines that break off inside a word, joined with those that they go on in."""
    chains: list[list[str]] = []
    last = -2
    for place in [place for place, line in enumerate(lines[:-1]) if line[-1:] in _MAY_BREAK_OFF]:
        before, after = lines[place].rstrip(_TAIL), lines[place + 1].rstrip(_TAIL)
        if not after or before[-1:] not in _BREAKS_OFF:
            continue
        rest = after if _is_next_line(before, after) else _HEAD.sub("", after, count=1)
        if rest and rest[0] not in _PARTS and _one_word(before, rest):
            if last != place - 1:
                chains.append([before])
            chains[-1].append(rest)
            last = place
    return _chained(chains) if chains else None


def _is_next_line(before: str, after: str) -> bool:
    """Whether a line that begins with a plus goes on in base64, whose lines are of one length, and is no line of a diff."""
    return after[0] == "+" != before[0] and len(after) == len(before)


def _chained(chains: Sequence[Sequence[str]]) -> View:
    size = 0
    seams = []
    for chain in chains:
        for piece in chain:
            seams.append(size)
            size += len(piece)
        size += 1
        seams[-len(chain)] = -1  # a chain begins at no seam
    return View("\n".join(map("".join, chains)), [seam for seam in seams if seam >= 0])


def _one_word(before: str, rest: str) -> bool:
    """Whether the two ends of a break may be one word of a secret: long, or not so long with digits, and begun by no common word or number."""
    last = before.rsplit(None, 1)[-1]
    ends = last + (rest.split(None, 1) or [""])[0]
    if len(ends) < 2 * _WORD and (len(ends) < _WORD or not any(map(str.isdigit, ends))):
        return False
    if len(last) < len(before) and _NUMBER.fullmatch(last) and rest[0].isalpha():
        return False
    return not (last.islower() and last.isalpha() and len(last) > 4 and strangeness(last) < 0)
