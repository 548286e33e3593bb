"""What base64, base32 and hexadecimal in a text say, where they say text: one look at many words tells that most say nothing."""

from __future__ import annotations

import re
from base64 import b32decode
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from itertools import islice

_LEAST = 16  # characters of base64, which say twelve
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/-_"
# An x for what is base64, a blank for the rest: where many x stand is found faster than by a pattern.
_TO_BASE64 = bytes(0x78 if each in _ALPHABET else 0x20 for each in range(256))
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FOR_ADDRESSES = bytes.maketrans(b"-_", b"+/")
_GROUP = 32  # runs that are decoded together
# What makes groups of four of a run, and one more that says three bytes which are no text.
_FILLED = (b"gICA", b"AAAgICA", b"AAgICA", b"AgICA")
_PRINTABLE = bytes(0x78 if each in b"\t\n\r" or 0x20 <= each <= 0x7E else 0x20 for each in range(256))
_SLASH = re.compile(rb"/")
_FOLDERS = 12  # slashes behind which base64 is looked for
_TELLS = 10  # characters in a row that are text
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e]{%d,}" % _TELLS)


def decoded(text: str) -> str:
    """What base64, base32 and hexadecimal in the text say, where they say text."""
    runs = list(dict.fromkeys(_runs(text.encode("utf-8", "replace"))))
    groups = (runs[first : first + _GROUP] for first in range(0, len(runs), _GROUP))
    return "\n".join(filter(None, (_said(run) for group in groups if _say_something(group) for run in group)))


def _runs(data: bytes) -> Iterator[bytes]:
    """The runs of base64 that are long enough."""
    mask = data.translate(_TO_BASE64)
    start = mask.find(b"x" * _LEAST)
    while start >= 0:
        end = mask.find(b" ", start + _LEAST)
        if end < 0:
            end = len(mask)
        yield data[start:end]
        start = mask.find(b"x" * _LEAST, end)


def _say_something(runs: Sequence[bytes]) -> bool:
    """Whether any of the runs may say text: most are names, which decode to nothing, as one look at many of them tells."""
    starts = [run[found.end() :] for run in runs if b"/" in run for found in islice(_SLASH.finditer(run), _FOLDERS)]
    whole = b"".join([run + _FILLED[len(run) % 4] for run in (*runs, *starts)])
    said = a2b_base64(whole.translate(_FOR_ADDRESSES)).replace(b"\0", b"")
    return b"x" * _TELLS in said.translate(_PRINTABLE) or any(
        not run.strip(_HEXADECIMAL) or not run.strip(_BASE32) for run in runs
    )


def _said(run: bytes) -> str:
    """What a run says, from its beginning and, since it may be a path's end, from behind each of its slashes."""
    if not run.strip(_HEXADECIMAL):
        return _text_in(bytes.fromhex(run[: len(run) & ~1].decode("ascii")))
    if run.lower() == run:
        return ""
    starts = [0, *(found.end() for found in islice(_SLASH.finditer(run), _FOLDERS))]
    said = [_said_from(run[start:]) for start in starts if len(run) - start >= _LEAST]
    if not run.strip(_BASE32):
        whole = run[: len(run) - (len(run) % 8 in (1, 3, 6))]
        said.append(_text_in(b32decode(whole + b"=" * (-len(whole) % 8))))
    return "\n".join(filter(None, said))


def _said_from(run: bytes) -> str:
    return _text_in(a2b_base64(run[: len(run) - (len(run) % 4 == 1)].translate(_FOR_ADDRESSES) + b"=="))


def _text_in(data: bytes) -> str:
    if 3 * data.count(0) > len(data):  # UTF-16, as PowerShell encodes its commands, or UTF-32
        data = data.replace(b"\0", b"")
    return b"\n".join(_TEXT.findall(data)).decode("ascii")
