"""Calls written as JSON objects that hold a name and its arguments, alone, in a row or in a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.core.calls.json_value import write
from gateway.core.calls.schema import properties_of
from gateway.core.dialects.members import Open, missing_braces
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import Told, called, closed, name_begun
from gateway.core.stream import Call

_NAME_FIRST = re.compile(r'\s*"(?:name|tool_name)"\s*:\s*"([^"\\]*)"\s*')


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a dialect puts its objects. `each`: every object has its own closer, so that it is not whole without it.

    `bare`: nothing marks them, so that only an object that names a declared tool and has arguments is a call.
    `idle`: names that stand for no call.
    """

    closers: tuple[str, ...] = ()
    each: bool = False
    bare: bool = False
    idle: tuple[str, ...] = ()
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
            behind = scanner.offset
            scanner.at += look.end - 1
            element = _Element(reading, form, first=not count)
            if not (yield from element.read()):
                if count:
                    scanner.rewind(behind)
                return element.told_as_text or bool(count)
            count, ahead = count + 1, 0
        elif look.found in form.closers:
            scanner.at += look.end
            reading.torn = None  # whatever was among them, the calls end here
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


class _Element:
    """One object, the cursor before its brace."""

    def __init__(self, reading: Reading, form: Form, *, first: bool) -> None:
        self.reading, self.scanner, self.form, self.first = reading, reading.scanner, form, first
        self.start = self.scanner.offset
        self.begin = reading.start if first else self.start  # of the call, with its opener
        self.told_as_text = False

    def read(self) -> Steps[bool]:
        """False: it is no call."""
        form, reading = self.form, self.reading
        if form.bare and (yield from self._names_another()):
            return False
        try:
            whole = yield from self.scanner.brackets(form.closers)
        except Ended:
            return self._cut()
        told = self._told(self.scanner.since(self.start), whole=whole)
        if form.bare and not (told and told.begun and reading.tool(told.draft.name)):
            return self._text()
        if told and told.draft.name in form.idle and not reading.tool(told.draft.name):
            return True
        if told is None or told.state is not Open.CLOSED or self._astray(told):
            reading.unreadable(self.begin, "the call is no JSON whose meaning is certain")
        elif form.each:
            yield from self._closed(told.draft)
        else:
            reading.whole(told.draft, self.begin)
        return True

    def _names_another(self) -> Steps[bool]:
        """Whether a bare object says at once that it is no call, so that the rest of it need not be waited for."""
        self.scanner.at += 1
        try:
            found = yield from self.scanner.short(tokens(",", "}", "{", "["))
        except Ended:
            found = None
        self.scanner.rewind(self.start)
        named = _NAME_FIRST.fullmatch(found[0]) if found else None
        return named is not None and self.reading.tool(named[1]) is None

    def _told(self, text: str, *, whole: bool) -> Told | None:
        """What the object tells; one that a closer cut short is closed, if only braces are missing."""
        if whole:
            return self.form.told(text)
        braces = missing_braces(text)
        told = self.form.told(text.rstrip() + braces) if braces else None
        if told is None or closed(told.draft.arguments) is None:
            return None
        return replace(told, draft=replace(told.draft, mends=("missing_brace",)))

    def _astray(self, told: Told) -> bool:
        """Whether some argument stands beside the others: a brace too many has closed them early."""
        tool = self.reading.tool(told.draft.name)
        return tool is not None and any(key in properties_of(tool.parameters) for key in told.beside)

    def _closed(self, draft: Draft) -> Steps[None]:
        """The call is whole, unless the text ends before the closer that should follow has come."""
        wanted = tokens("}", "]", *self.form.closers)
        look = yield from self.scanner.look(wanted)
        while look.found in ("}", "]"):
            if look.found == "}":
                draft = replace(draft, mends=("extra_closers",))
            look = yield from self.scanner.look(wanted, look.end)
        if look.rest is None:
            self.reading.whole(draft, self.begin)
        else:
            self.reading.tail(draft, self.begin, Open.CLOSED)

    def _text(self) -> bool:
        """An object that began a text by itself is text as a whole: it is not looked into for a call."""
        if self.first and self.reading.opener in ("{", "["):
            self.reading.page.say(self.scanner.since(self.begin))
            self.told_as_text = True
        return False

    def _cut(self) -> bool:
        """The text ended inside the object."""
        reading, scanner = self.reading, self.scanner
        text = scanner.since(self.start) + scanner.text[scanner.at :]
        if self._swallowed(text):
            return True
        told = self.form.told(text)
        if not self.form.bare or reading.tool(told.draft.name):
            reading.tail(told.draft, self.begin, told.state)
            return True
        begun = name_begun(text)
        if not self.first or (begun and any(tool.name.startswith(begun) for tool in reading.tools)):
            return reading.nameless(self.begin)
        if reading.may_reread():
            return False
        scanner.at = len(scanner.text)
        reading.page.say(scanner.since(self.begin))
        self.told_as_text = True
        return False

    def _swallowed(self, text: str) -> bool:
        """A string that never ends has swallowed the closer of its call, and perhaps more calls: read on behind that."""
        closer = tokens(*self.form.closers).pattern.search(text)
        behind = text[closer.end() :].lstrip() if closer else ""
        followed = behind.startswith(self.reading.opener) or not (behind or self.scanner.cut)
        if closer is None or not followed or not self.reading.may_reread():
            return False
        self.scanner.rewind(self.start + closer.end())
        self.reading.unreadable(self.begin, "a string of the call does not end before the call does")
        return True


def render_object(call: Call, *, before: str = "", after: str = "", arguments: str = "arguments") -> str:
    """The call as one JSON object between its markers."""
    return f'{before}{{"name": {write(call.name)}, "{arguments}": {call.arguments}}}{after}'
