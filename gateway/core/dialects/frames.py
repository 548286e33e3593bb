"""Messages with a header each, as gpt-oss and Muse Glimmer write them: a thought, visible text, or a call of the tool it is sent to."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.core.dialects.members import Open
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens

START, CHANNEL, MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
CONSTRAINED = "<|constrain|>"  # stands in the header of a call: what follows is held to its form
ENDS = ("<|call|>", "<|end|>", "<|return|>", "<|eom|>", "<|eot|>")
TAGS = "<atem:"  # with which the text of a call begins where it is no JSON
_MOST_HEADER = 400
_HEADER = re.compile(r"<\|start\|>assistant|<\|channel\|>\s*(?:analysis|commentary|final)\b")
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_NO_CALL = re.compile(r"analysis|final|\bto=(?:self|user)\b")


def read_frame(reading: Reading) -> Steps[bool]:
    """Read the header at the opener, and the message behind it unless it has markers of its own. False: it is no header."""
    scanner = reading.scanner
    scanner.rewind(reading.start)
    try:
        found = yield from scanner.short(tokens(MESSAGE, "{"), _MOST_HEADER)
    except Ended:
        return _cut_header(reading)
    recipient = _RECIPIENT.search(found[0]) if found else None
    if not found or not (recipient or found[1] == MESSAGE):
        return False
    if found[1] == "{":
        scanner.at -= 1
        reading.mends = (*reading.mends, "stripped_token")
    name = recipient[1].removeprefix("functions.") if recipient else ""
    if name not in ("", "user", "self"):
        return (yield from _call(reading, name))
    if CONSTRAINED in found[0]:
        yield from _refuse(reading, "the header of a call names no tool")
    elif "analysis" in found[0] or name == "self":
        reading.page.begin_thought()
        yield from _tell(reading, reading.page.think)
        reading.page.end_thought()
    elif not name:
        yield from _tell(reading, reading.page.say)
    return True


def _cut_header(reading: Reading) -> bool:
    """The text ended in a header: of a call, unless it names another channel already. False: it is no header."""
    scanner = reading.scanner
    header = scanner.text[scanner.at :]
    other = _NO_CALL.search(header)
    if not other and ("to=" in header or scanner.cut):
        return reading.nameless(reading.start)
    if not (scanner.cut or reading.page.quiet or _HEADER.match(header)):
        return False
    scanner.at = len(scanner.text)
    return True


def _call(reading: Reading, name: str) -> Steps[bool]:
    look = yield from reading.scanner.look(tokens(TAGS))
    if look.found:
        return True
    if look.rest is not None:
        reading.tail(Draft(name, ""), reading.start, Open.OPENING)
        return True
    closers = (*ENDS, START)
    if (yield from read_arguments(reading, Draft(name, ""), reading.start, closers=closers, stops=True)):
        return True
    yield from _refuse(reading, "the call's arguments are no JSON")
    return True


def _refuse(reading: Reading, reason: str) -> Steps[None]:
    """What was meant as a call, up to its end."""
    try:
        yield from reading.scanner.find(tokens(*ENDS))
    finally:
        reading.unreadable(reading.start, reason)


def _tell(reading: Reading, tell: Callable[[str], None]) -> Steps[None]:
    """The message's text, up to its end or to the next header."""
    scanner = reading.scanner
    while True:
        before, mark = scanner.take(tokens(*ENDS, START, CHANNEL))
        tell(before)
        if mark:
            scanner.at += len(mark) if mark in ENDS else 0
            return
        try:
            yield from scanner.more()
        except Ended:
            tell(scanner.text[scanner.at :])
            scanner.at = len(scanner.text)
            raise
