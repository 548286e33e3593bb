"""Calls whose name stands before their arguments, which are one JSON object."""

from __future__ import annotations

from gateway.core.dialects.members import Open, missing_brackets
from gateway.core.dialects.objects import proven
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens


def read_arguments(
    reading: Reading,
    name: str,
    *,
    begin: int | None = None,
    closers: tuple[str, ...] = (),
    between: tuple[str, ...] = (),
    mends: tuple[str, ...] = (),
    call_id: str = "",
    bare: bool = False,
) -> Steps[bool]:
    """Read the object behind the name, and the closer behind it where the dialect has one.

    `begin` is the call's offset, if not that of the opener. `between` may stand before the closer. `bare`: nothing but the name marks the call, so that False
    comes back where no such tool is declared.
    """
    scanner = reading.scanner
    start = reading.start if begin is None else begin
    if bare and reading.tool(name) is None:
        return False
    draft = Draft(name, "", mends, call_id)
    try:
        look = yield from scanner.look(tokens("{", *closers))
        if look.found != "{":
            return (yield from _without_object(reading, draft, look.rest, start))
        scanner.at += look.end - 1
        return (yield from _object(reading, draft, start, closers, between))
    except Ended:
        return True


def _without_object(reading: Reading, draft: Draft, rest: str | None, start: int) -> Steps[bool]:
    """No object follows the name."""
    if rest is not None:
        reading.tail(draft, start, Open.OPENING)
        reading.scanner.at = len(reading.scanner.text)
        return True
    yield from ()
    return False


def _object(
    reading: Reading, draft: Draft, start: int, closers: tuple[str, ...], between: tuple[str, ...]
) -> Steps[bool]:
    scanner = reading.scanner
    at = scanner.offset
    try:
        closed = yield from scanner.brackets(closers)
    except Ended:
        arguments, state = proven(scanner.since(at) + scanner.text[scanner.at :])
        reading.tail(_with(draft, arguments), start, state)
        return True
    arguments, mends = scanner.since(at), draft.mends
    if not closed:
        brackets = missing_brackets(arguments)
        arguments, mends = arguments.rstrip() + (brackets or ""), (*mends, "missing_brace")
    draft = Draft(draft.name, arguments, mends, draft.id)
    if not closers:
        reading.whole(draft, start)
        return True
    look = yield from scanner.look(tokens(*closers, *between))
    while look.found in between:
        look = yield from scanner.look(tokens(*closers, *between), look.end)
    if look.rest is not None:
        reading.tail(draft, start, Open.CLOSED)
        return True
    scanner.at += look.end if look.found else 0
    reading.whole(draft if look.found else _with(draft, arguments, "missing_closer"), start)
    return True


def _with(draft: Draft, arguments: str, *mends: str) -> Draft:
    return Draft(draft.name, arguments, (*draft.mends, *mends), draft.id)
