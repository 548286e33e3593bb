"""Other readings of a text in which a secret may hide: escapes undone, base64 and its like decoded, invisible characters dropped, lines joined.

Law: a reading can only add findings. Only lines that read differently are in it, so that plain code costs next to nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from base64 import b32decode
from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote

from gateway.core.privacy.strangeness import strangeness

_DEPTH = 3  # JSON in JSON in an address
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
        shown = list(map(_visible, lines))
        if changed := [new for new, old in zip(shown, lines, strict=True) if new != old]:
            yield View("\n".join(changed))
            lines, text = shown, "\n".join(shown)
    joined = _joined(lines)
    if joined:
        yield joined
    if depth:
        readings = (_unescaped(text, lines), _unquoted(text, lines), _unmarked(text, lines), _decoded(text))
        for reading in (*readings, _decoded(joined.text) if joined else ""):
            if reading:
                # What does not decode is no sign of a binary file.
                plain = reading.replace("\0", " ").replace("\ufffd", " ")
                yield View(plain)
                yield from _views(plain, depth - 1)


_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def _visible(line: str) -> str:
    """Without what does not show, and with look-alike forms (full width, mathematical letters) made plain."""
    return line if line.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", line))


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_KEPT = "\ue000"  # stands for a backslash that was escaped itself, while the others are undone


def _unescaped(text: str, lines: Sequence[str]) -> str:
    """The lines with backslashes, as JSON, C, Python or a shell would read them."""
    if "\\" not in text:
        return ""
    said = "\n".join(line for line in lines if "\\" in line)
    plain = (
        said.replace("\\\\", _KEPT).replace("\\n", "\n").replace('\\"', '"').replace("\\t", "\t").replace("\\r", "\n")
    )
    if "\\u" in plain or "\\x" in plain:
        plain = _ESCAPE.sub(lambda escape: chr(int(escape[1] or escape[2], 16)), plain)
    return plain.replace("\\", "").replace(_KEPT, "\\")


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


_LEAST = 16  # characters of base64, which say twelve
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/-_"
# Makes blanks of all that is no base64; several times as fast as a pattern.
_TO_BASE64 = bytes(each if each in _ALPHABET else 0x20 for each in range(256))
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FOR_ADDRESSES = bytes.maketrans(b"-_", b"+/")
_SLASH = re.compile(rb"/")
_FOLDERS = 12  # slashes behind which base64 is looked for
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e]{10,}")
_WIDE = re.compile(rb"(?:[\t\n\r\x20-\x7e]\0){8,}")


def _decoded(text: str) -> str:
    """What base64, base32 and hexadecimal in the text say, where they say text."""
    words = text.encode("utf-8", "replace").translate(_TO_BASE64).split()
    return "\n".join(filter(None, map(_said, dict.fromkeys(word for word in words if len(word) >= _LEAST))))


def _said(run: bytes) -> str:
    """What a run says, from its beginning and, since it may be a path's end, from behind each of its slashes."""
    if not run.strip(_HEXADECIMAL):
        return _text_in(bytes.fromhex(run[: len(run) & ~1].decode("ascii")))
    if run.lower() == run:
        return ""
    starts = [0, *(found.end() for found in islice(_SLASH.finditer(run), _FOLDERS))]
    said = [_said_from(run[start:]) for start in starts if len(run) - start >= _LEAST]
    if not run.strip(_BASE32):
        said.append(_text_in(b32decode(run[: len(run) & ~7])))
    return "\n".join(filter(None, said))


def _said_from(run: bytes) -> str:
    return _text_in(a2b_base64(run[: len(run) - (len(run) % 4 == 1)].translate(_FOR_ADDRESSES) + b"=="))


def _text_in(data: bytes) -> str:
    if wide := _WIDE.match(data):  # UTF-16, as PowerShell encodes its commands
        return wide[0].decode("utf-16-le")
    return b"\n".join(_TEXT.findall(data)).decode("ascii")


_BREAKS_OFF = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-.~%$@&!*^#")
_TAIL = "\\\"'+ \t\r"  # what may follow the break: a continuation, a closing quote and a plus
# What may come before the rest: indentation, a line number, the mark of a diff, a comment or a quotation, an opening quote.
_HEAD = re.compile(r"[ \t]*(?:\d{1,6}[\t|:\u2192][ \t]?|[+>|*#-](?=[ \t\w])|//|[\"'])?[ \t]*[\"']?")
_WORD = 8  # characters of two ends that may be a secret's
_PARTS = frozenset("}])>,;")


def _joined(lines: Sequence[str]) -> View | None:
    """Lines that break off inside a word, joined with those that they go on in."""
    ends = [line.rstrip(_TAIL) for line in lines]
    chains: list[list[str]] = []
    last = -2
    for place in [place for place, end in enumerate(ends[:-1]) if end[-1:] in _BREAKS_OFF]:
        after = ends[place + 1]
        head = _HEAD.match(after)
        rest = after[head.end() :] if head else after
        if rest and rest[0] not in _PARTS and _one_word(ends[place], rest):
            if last != place - 1:
                chains.append([ends[place]])
            chains[-1].append(rest)
            last = place
    return _chained(chains) if chains else None


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
    """Whether the two ends of a break may be one word of a secret: long, or not so long with digits, and begun by no common word."""
    last = before.rsplit(None, 1)[-1]
    ends = last + (rest.split(None, 1) or [""])[0]
    if len(ends) < 2 * _WORD and (len(ends) < _WORD or not any(map(str.isdigit, ends))):
        return False
    return not (last.islower() and last.isalpha() and len(last) > 4 and strangeness(last) < 0)
