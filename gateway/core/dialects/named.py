"""Calls whose name stands before their arguments, which are one JSON object."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.dialects.members import Open, missing_brackets
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Look, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import proven


def read_arguments(
    reading: Reading,
    draft: Draft,
    start: int,
    *,
    closers: tuple[str, ...] = (),
    between: tuple[str, ...] = (),
    stops: bool = False,
) -> Steps[bool]:
    """Read the object behind the draft's name, and the closer behind it where the dialect has one; `start` is the call's.

    `between` may stand before the closer. `stops`: the closer is a stop token, which servers do not print.
    False: no object follows.
    """
    scanner = reading.scanner
    look = yield from scanner.look(tokens("{"))
    if look.rest is not None:
        reading.tail(draft, start, Open.OPENING)
        return True
    if not look.found:
        return False
    scanner.at += look.end - 1
    at = scanner.offset
    try:
        closed = yield from scanner.brackets(closers)
    except Ended:
        arguments, state = proven(scanner.since(at) + scanner.text[scanner.at :])
        reading.tail(replace(draft, arguments=arguments), start, state)
        return True
    draft = _filled(draft, scanner.since(at), closed=closed)
    if not closers:
        reading.whole(draft, start)
        return True
    look = yield from _closer(reading, closers, between)
    scanner.at += look.end if look.found else 0
    if look.found or (stops and look.rest == "" and not scanner.cut):
        reading.whole(draft, start)
    elif look.rest is None:
        reading.whole(replace(draft, mends=(*draft.mends, "missing_closer")), start)
    else:
        reading.tail(draft, start, Open.CLOSED)
    return True


def _filled(draft: Draft, arguments: str, *, closed: bool) -> Draft:
    """The draft with its arguments; those that a closer cut short get their brackets, if only those are missing."""
    if closed:
        return replace(draft, arguments=arguments)
    brackets = missing_brackets(arguments) or ""
    return replace(draft, arguments=arguments.rstrip() + brackets, mends=(*draft.mends, "missing_brace"))


def _closer(reading: Reading, closers: tuple[str, ...], between: tuple[str, ...]) -> Steps[Look]:
    """The call's closer ahead."""
    look = yield from reading.scanner.look(tokens(*closers, *between))
    while look.found in between:
        look = yield from reading.scanner.look(tokens(*closers, *between), look.end)
    return look
