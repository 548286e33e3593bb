"""Tells values that machines make from those that people write: random strings, hexadecimal, UUIDs."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

from gateway.core.privacy.strangeness import strangeness

# Bits of strangeness a character. Above the first nothing but chance is left: in a megabyte of code about one word.
_RANDOM = 0.8
_LENIENT = 0.2
_NAMED = -0.87  # below it even a value full of digits is a name, such as `node-v18.17.1-linux-x64`
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{16,}")
_UUID = re.compile(r"(?:.*[_:-])?[0-9a-zA-Z]{8}(?:-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}")
_DIGIT = re.compile(r"[0-9]")
_RUN = re.compile(r"[0-9A-Za-z]{11,}|[0-9A-Za-z_+/=-]{11,}")


def random(value: str) -> bool:
    """Whether only chance would have written the value. Hexadecimal is not judged so: hashes and ids look the same."""
    return strangeness(value) >= _RANDOM * len(value)


def mixed(value: str, *, bits: float | None = None) -> bool:
    """Whether a machine may have made the value, beside a name that makes that likely; `bits` of strangeness are enough."""
    enough = _LENIENT * len(value) if bits is None else bits
    if strangeness(value) >= enough or uuid(value):
        return True
    return _DIGIT.search(value) is not None and any(map(_counted_out, _RUN.findall(value)))


def _counted_out(run: str) -> bool:
    return hexadecimal(run) or (numbered(run) and strangeness(run) > _NAMED * len(run))


def hexadecimal(value: str) -> bool:
    return bool(_HEX.fullmatch(value)) and digits(value) > 0 and len(set(value)) > 4


def uuid(value: str) -> bool:
    return value.count("-") >= 4 and _UUID.fullmatch(value) is not None


def numbered(value: str) -> bool:
    """Letters and digits in one, too many of each for a name with a version or a date in it."""
    numbers = digits(value)
    letters = sum(map(str.isalpha, value))
    return numbers >= 4 and letters >= 4 and numbers + letters >= 11


def digits(value: str) -> int:
    return sum(map(str.isdigit, value))


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())
