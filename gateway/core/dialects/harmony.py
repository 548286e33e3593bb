"""Harmony (gpt-oss): messages with a header each; a call is a message to `functions.NAME`, its text the arguments as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_START, _CHANNEL, _MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
_ENDS = ("<|call|>", "<|end|>", "<|return|>")
_MOST_HEADER = 400
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")


def _read(reading: Reading) -> Steps[bool]:
    scanner = reading.scanner
    scanner.rewind(reading.start)
    try:
        found = yield from scanner.short(tokens(_MESSAGE, "{"), _MOST_HEADER)
    except Ended:
        return _cut_header(reading)
    recipient = _RECIPIENT.search(found[0]) if found else None
    if not found or not (recipient or found[1] == _MESSAGE):
        return False
    if found[1] == "{":
        scanner.at -= 1
        reading.mends = (*reading.mends, "stripped_token")
    if recipient:
        return (yield from _call(reading, recipient[1].removeprefix("functions.")))
    if "analysis" in found[0]:
        reading.page.begin_thought()
        yield from _tell(reading, reading.page.think)
        reading.page.end_thought()
    else:
        yield from _tell(reading, reading.page.say)
    return True


def _cut_header(reading: Reading) -> bool:
    """The text ended in a header: of a call, unless it names another channel already."""
    scanner = reading.scanner
    header = scanner.text[scanner.at :]
    if "to=" in header or (scanner.cut and not re.search("analysis|final", header)):
        return reading.nameless(reading.start)
    scanner.at = len(scanner.text)
    return True


def _call(reading: Reading, name: str) -> Steps[bool]:
    closers = (*_ENDS, _START)
    if (yield from read_arguments(reading, Draft(name, ""), reading.start, closers=closers, stops=True)):
        return True
    try:
        yield from reading.scanner.find(tokens(*_ENDS))
    finally:
        reading.unreadable(reading.start, "the call's arguments are no JSON")
    return True


def _tell(reading: Reading, tell: Callable[[str], None]) -> Steps[None]:
    """The message's text, up to its end or to the next header."""
    scanner = reading.scanner
    while True:
        before, mark = scanner.take(tokens(*_ENDS, _START, _CHANNEL))
        tell(before)
        if mark:
            scanner.at += len(mark) if mark in _ENDS else 0
            return
        try:
            yield from scanner.more()
        except Ended:
            tell(scanner.text[scanner.at :])
            scanner.at = len(scanner.text)
            raise


def _render(call: Call) -> str:
    return f"{_CHANNEL}commentary to=functions.{call.name} <|constrain|>json{_MESSAGE}{call.arguments}<|call|>"


HARMONY = Dialect(
    name="harmony",
    read=_read,
    render=_render,
    openers=(Opener(_START, then=("assistant",)), Opener(_CHANNEL)),
    bare=(
        Opener("to=functions.", where=Where.START),
        # What servers leave of a header that strip control tokens.
        Opener("commentary to=functions.", where=Where.LINE),
        Opener("assistantcommentary to=functions."),
    ),
    closers=_ENDS,
    noise=(*_ENDS, _MESSAGE),
    framed=True,
    thinks=(Think("<|channel|>analysis<|message|>", "<|end|>"),),
    taught=(_CHANNEL,),
    models=("gpt-oss", "gptoss"),
)
