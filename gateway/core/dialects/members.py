"""The members of a JSON object of which perhaps only the beginning is there. Law: what is not ended by the text is not proven."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

from gateway.core.calls.json_text import read

_BLANKS = re.compile(r"\s*")
_DOUBLE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SINGLE = re.compile(r"'[^'\\]*+(?:\\.[^'\\]*+)*+'", re.DOTALL)
_MARK = re.compile(r"""["'{}\[\]]""")
_BARE = re.compile(r"""[^\s,\[\]{}"':]+""")
# The quick way over a value; what it refuses may still be a value as models write it.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


class Open(Enum):
    """How a list of arguments stands where the text ends."""

    CLOSED = auto()  # its own closer is there
    BETWEEN = auto()  # behind a proven argument, or before the first
    OPENING = auto()  # a further argument was being opened
    VALUE = auto()  # inside a value
    BROKEN = auto()  # the text is no list of arguments


@dataclass(frozen=True, slots=True)
class Member:
    """A member whose value is proven to be all there: its key, and where the value stands in the text."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Members:
    """The proven members, how the object stands at the text's end, and the member that is open there."""

    items: tuple[Member, ...]
    state: Open
    end: int = 0  # behind the closing brace, where there is one
    key: str = ""  # of the open value
    start: int = 0  # where the open value begins


def members(text: str, at: int = 0) -> Members:
    """Read the object whose opening brace stands at `at`."""
    items: list[Member] = []
    at = _blanks(text, at + 1)
    if text[at : at + 1] == "}":
        return Members((), Open.CLOSED, at + 1)
    while True:
        if at >= len(text):
            return Members(tuple(items), Open.OPENING if items else Open.BETWEEN)
        end, key = _key(text, at)
        if end < 0:
            return Members(tuple(items), Open.OPENING if _partial(text, at) else Open.BROKEN)
        start = _blanks(text, end)
        end = _skip(text, start)
        if end < 0:
            return Members(tuple(items), Open.VALUE, key=key, start=start)
        items.append(Member(key, start, end))
        at = _blanks(text, end)
        mark = text[at : at + 1]
        if mark == "}":
            return Members(tuple(items), Open.CLOSED, at + 1)
        if mark != ",":
            return Members(tuple(items), Open.BROKEN if mark else Open.BETWEEN)
        at = _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _key(text: str, at: int) -> tuple[int, str]:
    """The offset behind a key's colon, and the key; -1 where there is no whole key."""
    end = _quoted(text, at)
    colon = _blanks(text, end) if end > 0 else -1
    if end < 0 or text[colon : colon + 1] != ":":
        return -1, ""
    document = read(text[at:end])
    return (colon + 1, document.value) if document and isinstance(document.value, str) else (-1, "")


def _partial(text: str, at: int) -> bool:
    """Whether a key that is not whole may still become one."""
    end = _quoted(text, at)
    return text[at] in "\"'" and (end < 0 or _blanks(text, end) == len(text))


def _quoted(text: str, at: int) -> int:
    found = (_SINGLE if text.startswith("'", at) else _DOUBLE).match(text, at)
    return found.end() if found else -1


def _skip(text: str, at: int) -> int:
    """The offset behind the value at `at`; -1 where the text does not prove its end."""
    mark = text[at : at + 1]
    if mark in ('"', "{", "["):
        try:
            return _DECODER.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            return _quoted(text, at) if mark == '"' else _bracketed(text, at)
    if mark == "'":
        return _quoted(text, at)
    bare = _BARE.match(text, at)
    return bare.end() if bare and _blanks(text, bare.end()) < len(text) else -1


def _bracketed(text: str, at: int) -> int:
    depth = 0
    while mark := _MARK.search(text, at):
        if mark.group() in "\"'":
            at = _quoted(text, mark.start())
            if at < 0:
                return -1
            continue
        at = mark.end()
        depth += 1 if mark.group() in "{[" else -1
        if not depth:
            return at
    return -1


def missing_braces(text: str) -> str | None:
    """What closes the objects that a marker cut short; None where anything else was under way."""
    stack: list[str] = []
    at = 0
    while mark := _MARK.search(text, at):
        if mark.group() in "\"'":
            at = _quoted(text, mark.start())
            if at < 0:
                return None
            continue
        at = mark.end()
        if mark.group() in "{[":
            stack.append("}" if mark.group() == "{" else "]")
        elif not stack or stack.pop() != mark.group():
            return None
    return None if "]" in stack or text.rstrip()[-1:] in ",:" else "}" * len(stack)
