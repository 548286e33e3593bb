"""Calls whose name stands before their arguments, which are one JSON object, or the text of one in a string."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.dialects.members import Open
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Look, Scanner, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import closed, proven

_FENCES = ("```json", "```")


def read_arguments(
    reading: Reading, draft: Draft, start: int, *, closers: tuple[str, ...] = (), stops: bool = False
) -> Steps[bool]:
    """Read the object behind the draft's name, and the closer behind it where the dialect has one; `start` is the call's.

    A fence may stand around the object. `stops`: the closer is a stop token, which servers do not print.
    False: no object follows.
    """
    scanner = reading.scanner
    look = yield from scanner.look(tokens("{", '"', *_FENCES))
    fenced = look.found in _FENCES
    if fenced:
        look = yield from scanner.look(tokens("{", '"'), look.end)
    if look.rest is not None:
        reading.tail(draft, start, Open.OPENING)
        return True
    if not look.found:
        return False
    scanner.at += look.end - 1
    at = scanner.offset
    try:
        whole = yield from scanner.document(look.found, closers)
    except Ended:
        arguments, state = proven(scanner.since(at) + scanner.text[scanner.at :])
        reading.tail(replace(draft, arguments=arguments), start, state)
        return True
    draft = _filled(draft, scanner.since(at), whole=whole)
    skipped = ("}", "```") if closers or fenced else ("}",)
    look, passed = yield from _behind(scanner, closers, skipped)
    if look.found == ",":
        return (yield from _goes_on(reading, start, closers))
    if look.found or (passed and not closers):
        scanner.at += look.end
        draft = replace(draft, mends=(*draft.mends, "extra_closers")) if "}" in passed else draft
    if look.found or not closers or (stops and look.rest == "" and not scanner.cut):
        reading.whole(draft, start)
    elif look.rest is None:
        reading.whole(replace(draft, mends=(*draft.mends, "missing_closer")), start)
    else:
        reading.tail(draft, start, Open.CLOSED)
    return True


def _filled(draft: Draft, arguments: str, *, whole: bool) -> Draft:
    """The draft with its arguments; those that a closer cut short get their braces, where it is certain."""
    if whole:
        return replace(draft, arguments=arguments)
    arguments = arguments.rstrip().removesuffix("```")
    return replace(draft, arguments=closed(arguments) or arguments, mends=(*draft.mends, "missing_brace"))


def _goes_on(reading: Reading, start: int, closers: tuple[str, ...]) -> Steps[bool]:
    """A brace too many has closed the object early: what belongs into it cannot be told."""
    try:
        yield from reading.scanner.find(tokens(*closers, "\n"))
    finally:
        reading.unreadable(start, "the arguments go on behind their end")
    return True


def _behind(scanner: Scanner, closers: tuple[str, ...], skipped: tuple[str, ...]) -> Steps[tuple[Look, list[str]]]:
    """The closer ahead, and what of no use stands before it; a comma where the arguments go on."""
    wanted = tokens(",", *closers, *skipped)
    passed: list[str] = []
    look = yield from scanner.look(wanted)
    while look.found in skipped:
        passed.append(look.found)
        look = yield from scanner.look(wanted, look.end)
    if look.found == "," and not (yield from scanner.look(tokens('"'), look.end)).found:
        return Look("", look.end), passed
    return look, passed
