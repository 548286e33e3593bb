"""Groups of calls each of which has its own markers (Kimi, DeepSeek)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tokens import tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The markers of a group and of its calls. `between` may be left over between two calls.

    `call` reads one call, the cursor behind its opener; its offset is given. False: there is none.
    """

    openers: tuple[str, ...]
    closers: tuple[str, ...]
    call_openers: tuple[str, ...]
    between: tuple[str, ...]
    call: Callable[[Reading, int], Steps[bool]]


def read_group(reading: Reading, group: Group) -> Steps[bool]:
    """Read the calls of a group; the group's own markers may be missing, and the opener of its first call."""
    scanner = reading.scanner
    if reading.opener not in group.openers:
        scanner.rewind(reading.start)
    wanted = tokens(*group.openers, *group.call_openers, *group.closers, *group.between)
    count = 0
    while True:
        begin = scanner.offset if count else reading.start
        look = yield from scanner.look(wanted)
        if look.rest is not None:
            return reading.over(begin, count, look.rest, group.call_openers)
        scanner.at += look.end if look.found else 0
        if look.found in group.closers:
            return bool(count) or reading.empty()
        if look.found in group.call_openers or not (look.found or count):
            if not (yield from group.call(reading, begin)):
                scanner.rewind(begin)
                return bool(count)
            count += 1
        elif look.found in group.openers:
            reading.mends = ("doubled_tag",)
        elif not look.found:
            return bool(count)
