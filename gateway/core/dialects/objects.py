"""Calls written as JSON objects that hold a name and its arguments, alone, in a row or in a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import write
from gateway.core.dialects.members import Members, Open, members, missing_brackets
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_NAMES = ("name", "tool_name", "function", "tool")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
KEYS = tuple(f"{quote}{key}{quote}" for quote in "\"'" for key in (*_NAMES, *_ARGUMENTS, "type", "id"))
"""What a bare object must begin with to be worth waiting for."""

_NAME_FIRST = re.compile(r'\s*"(?:name|tool_name)"\s*:\s*"([^"\\]*)"\s*')
_MOST_REREADS = 8  # of text behind a broken string, so that a hostile answer costs no more than a few passes


@dataclass(frozen=True, slots=True)
class Told:
    """What the text of one object tells of its call: how far its arguments are there, and whether they have begun."""

    draft: Draft
    state: Open
    begun: bool


def called(text: str) -> Told:
    """A call from `{"name": …, "arguments": …}`, whole or cut, its members in any order."""
    found = members(text)
    inner = _nested(text, found)
    if inner:
        return called(inner)
    name, arguments = "", None
    for member in found.items:
        value = text[member.start : member.end]
        if member.key in _NAMES and not name:
            document = read(value)
            name = document.value if document and isinstance(document.value, str) else ""
        elif member.key in _ARGUMENTS and arguments is None:
            arguments = value
    if found.state is Open.BROKEN or (not name and found.state is not Open.CLOSED):
        return Told(Draft(name, "", ()), Open.OPENING, arguments is not None)
    if arguments is not None:
        return Told(Draft(name, arguments), Open.CLOSED, True)
    if found.key in _ARGUMENTS and text[found.start : found.start + 1] == "{":
        partial, state = proven(text[found.start :])
        return Told(Draft(name, partial), state, True)
    return Told(Draft(name, ""), Open.CLOSED if found.state is Open.CLOSED else Open.OPENING, False)


def called_by_key(text: str) -> Told:
    """A call from `{"NAME": {…}}` (Apertus)."""
    found = members(text)
    if found.items:
        member = found.items[0]
        return Told(Draft(member.key, text[member.start : member.end]), Open.CLOSED, True)
    if found.key and text[found.start : found.start + 1] == "{":
        partial, state = proven(text[found.start :])
        return Told(Draft(found.key, partial), state, True)
    return Told(Draft(found.key, ""), Open.OPENING, False)


def proven(text: str) -> tuple[str, Open]:
    """The proven members of an object that is cut, as an object of their own, and how it stands at the cut."""
    found = members(text)
    if found.state is Open.CLOSED:
        return text[: found.end], Open.CLOSED
    pairs = ", ".join(f"{write(member.key)}: {text[member.start : member.end]}" for member in found.items)
    counted = found.state is Open.BETWEEN and pairs.endswith("}")
    return "{" + pairs + "}", Open.COUNTED if counted else found.state


def _nested(text: str, found: Members) -> str:
    """The inner object of `{"type": "function", "function": {"name": …, "arguments": …}}`."""
    for member in found.items:
        if member.key == "function" and text[member.start] == "{":
            return text[member.start : member.end]
    return text[found.start :] if found.key == "function" and text[found.start : found.start + 1] == "{" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a dialect puts its objects. `each`: every object has its own closer, so that it is not whole without it.

    `bare`: nothing marks them, so that only an object that names a declared tool and has arguments is a call.
    """

    closers: tuple[str, ...] = ()
    each: bool = False
    bare: bool = False
    told: Callable[[str], Told] = called


def read_objects(reading: Reading, form: Form) -> Steps[bool]:
    """Read the objects behind an opener. False: the first one is no call."""
    scanner = reading.scanner
    wanted = tokens("{", "[", ",", ";", "]", "}", "```json", "```", *form.closers)
    count = ahead = 0
    while True:
        look = yield from scanner.look(wanted, ahead)
        if look.rest is not None:
            return not (form.bare and not count) and reading.over(reading.start, count)
        if look.found == "{":
            if not (yield from _element(reading, form, look.end - 1, first=not count)):
                return bool(count)
            count, ahead = count + 1, 0
        elif look.found in form.closers:
            scanner.at += look.end
            return bool(count) or reading.empty()
        elif not look.found or (count and look.found == "["):  # not a list's, but that of the next `[TOOL_CALLS]`
            return bool(count)
        elif look.found in (",", ";") or (count and look.found == "```"):
            ahead = look.end  # it belongs to the call only if an object or a closer follows
        else:
            scanner.at += look.end
            ahead = 0
            if look.found == "]" and not count:  # an empty list
                return reading.empty() and not form.bare


def _element(reading: Reading, form: Form, blanks: int, *, first: bool) -> Steps[bool]:
    """One object. The cursor stands before its blanks; False leaves it there."""
    scanner = reading.scanner
    scanner.at += blanks
    start = scanner.offset
    begin = reading.start if first else start
    if form.bare and (yield from _names_another(reading)):
        return False
    try:
        closed = yield from scanner.brackets(form.closers)
    except Ended:
        return _cut(reading, form, start, begin)
    told = _told(scanner.since(start), form, closed=closed)
    if told is None or told.state is not Open.CLOSED:
        if form.bare:
            scanner.rewind(start)
            return False
        reading.unreadable(begin, "the call is no JSON whose meaning is certain")
        return True
    if form.bare and not _is_call(reading, told):
        scanner.rewind(start)
        return False
    if form.each and (yield from _last(reading, form)):
        reading.tail(told.draft, begin, Open.CLOSED)
    else:
        reading.whole(told.draft, begin)
    return True


def _names_another(reading: Reading) -> Steps[bool]:
    """Whether a bare object says at once that it is no call, so that the rest of it need not be waited for."""
    scanner = reading.scanner
    start = scanner.offset
    scanner.at += 1
    try:
        found = yield from scanner.short(tokens(",", "}", "{", "["))
    except Ended:
        found = None
    scanner.rewind(start)
    named = _NAME_FIRST.fullmatch(found[0]) if found else None
    return named is not None and reading.tool(named[1]) is None


def _told(text: str, form: Form, *, closed: bool) -> Told | None:
    """What an object tells; one that its dialect's closer cut short is closed first, where only brackets are missing."""
    if closed:
        return form.told(text)
    brackets = missing_brackets(text)
    if brackets is None:
        return None
    told = form.told(text.rstrip() + brackets)
    return replace(told, draft=replace(told.draft, mends=("missing_brace",)))


def _is_call(reading: Reading, told: Told) -> bool:
    return told.begun and reading.tool(told.draft.name) is not None


def _last(reading: Reading, form: Form) -> Steps[bool]:
    """Whether the text ends before the closer that should follow has come."""
    look = yield from reading.scanner.look(tokens("}", "]", *form.closers))
    while look.found in ("}", "]"):
        look = yield from reading.scanner.look(tokens("}", "]", *form.closers), look.end)
    return look.rest is not None


def _cut(reading: Reading, form: Form, start: int, begin: int) -> bool:
    """The text ended inside an object."""
    text = reading.scanner.since(start) + reading.scanner.text[reading.scanner.at :]
    if _broken_off(reading, form, text, start, begin):
        return True
    told = form.told(text)
    if form.bare and reading.tool(told.draft.name) is None:
        if begin != start or _is_naming(reading, text):
            reading.nameless(begin)
            return True
        reading.scanner.rewind(start)
        return False
    reading.tail(told.draft, begin, told.state)
    return True


def _is_naming(reading: Reading, text: str) -> bool:
    """Whether the text ends in the midst of the name of a declared tool."""
    found = members(text)
    begun = text[found.start + 1 :]
    return found.key in _NAMES and begun != "" and any(tool.name.startswith(begun) for tool in reading.tools)


def _broken_off(reading: Reading, form: Form, text: str, start: int, begin: int) -> bool:
    """A string that never ends has swallowed the closer of its call, and perhaps more calls: read on behind that closer."""
    closer = tokens(*form.closers).pattern.search(text) if form.closers else None
    if closer is None or reading.rereads >= _MOST_REREADS:
        return False
    behind = text[closer.end() :].lstrip()
    if not behind.startswith(reading.opener) and (behind or reading.scanner.cut):
        return False
    reading.rereads += 1
    reading.scanner.rewind(start + closer.end())
    reading.unreadable(begin, "a string of the call does not end before the call does")
    return True


def render_object(call: Call, *, before: str = "", after: str = "", arguments: str = "arguments") -> str:
    """The call as one JSON object between its markers."""
    return f'{before}{{"name": {write(call.name)}, "{arguments}": {call.arguments}}}{after}'
