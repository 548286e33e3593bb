"""Calls written as tags with raw values: `<function=f>`, `<parameter=p>` and their relatives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from gateway.core.dialects.fields import Fields, arguments_of, raw_text
from gateway.core.dialects.members import Open
from gateway.core.dialects.raw_call import RawCall
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import closed, proven
from gateway.core.dialects.values import Ends
from gateway.core.stream import Call

_ATTRIBUTE = re.compile(r"""\b([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def attribute(inside: str, name: str = "name") -> str:
    """The value of an attribute in the inside of a tag, however it is quoted and spaced; "" where that is no list of them."""
    if _ATTRIBUTE.sub("", inside).strip(" \t/"):
        return ""
    for found in _ATTRIBUTE.finditer(inside):
        if found[1] == name:
            return found[2] or found[3] or ""
    return ""


def bare_name(inside: str) -> str:
    """The name in `<function=NAME>`, which some models quote."""
    return inside.strip().strip("\"'").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The tags of a dialect. Openers of calls and arguments are given up to their name.

    `newline`: the template sets each value on lines of its own. `each`: a group holds one call, which is not whole without
    the group's closer. `skips` may stand around the arguments, `astray` in the tag of a call. `name_of` reads a name from the inside of a tag, `plain_of`
    whether the tag itself says that its value is a string (True) or JSON (False), `decode` what a raw value stands for; `encode` is the way back.
    """

    group: tuple[str, ...]
    group_end: tuple[str, ...]
    call: tuple[str, ...]
    call_end: tuple[str, ...]
    argument: tuple[str, ...]
    argument_end: tuple[str, ...]
    newline: bool = False
    each: bool = False
    skips: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    name_of: Callable[[str], str] = attribute
    decode: Callable[[str], str] = str
    encode: Callable[[str], str] = str
    plain_of: Callable[[str], bool | None] = lambda _inside: None

    def ends(self, *, grouped: bool) -> Ends:
        return Ends(
            closers=self.argument_end,
            next=self.argument,
            over=self.call_end,
            group=self.group_end,
            again=(*self.group, *self.call),
            also=self.skips,
            key_of=self.name_of,
            newline=self.newline,
            strict=grouped,
        )


def read_tagged(reading: Reading, grammar: Grammar) -> Steps[bool]:
    """Read the calls behind a group's or a call's opener."""
    scanner = reading.scanner
    grouped = reading.opener in grammar.group
    if not grouped:
        scanner.rewind(reading.start)
    wanted = tokens(*grammar.group, *grammar.group_end, *grammar.call, *grammar.call_end, "</")
    count = 0
    while True:
        begin = reading.start if not count else scanner.offset
        look = yield from scanner.look(wanted)
        if look.rest is not None:
            return reading.over(begin, count, look.rest, (*grammar.group, *grammar.call))
        if look.found in grammar.call:
            scanner.at += look.end
            if not (yield from _read_call(reading, grammar, begin, grouped=grouped)):
                scanner.rewind(begin)
                return bool(count)
            count += 1
        elif look.found in grammar.group_end:
            scanner.at += look.end
            return bool(count) or reading.empty()
        elif look.found in grammar.group or (look.found and count):
            scanner.at += look.end
            reading.page.mend("extra_closers" if look.found not in grammar.group else "doubled_tag")
            if look.found == "</":  # a closer of nothing
                yield from scanner.short(tokens(">", "\n"))
        else:
            return bool(count)


def _read_call(reading: Reading, grammar: Grammar, begin: int, *, grouped: bool) -> Steps[bool]:
    """One call, the cursor behind its opener. False: it is none, the tag is only mentioned."""
    scanner = reading.scanner
    try:
        found = yield from _tag(scanner, grammar)
    except Ended:
        return reading.nameless(begin)
    if found is None:
        return False
    name = grammar.name_of(found[0])
    tool = reading.meant(name)
    if found[1] != ">":  # a tag that is not closed, or a mention of it
        scanner.at -= 1
    if tool is None:
        in_text = not grouped and (yield from _in_text(reading, grammar))
        return (
            bool(name) and found[1] == ">" and not in_text and (yield from _undeclared(reading, grammar, name, begin))
        )
    fields = Fields(tool, mends=[] if found[1] == ">" else ["unclosed_tag"], decode=grammar.decode)
    return (yield from _Call(reading, fields, name, begin, grammar, grouped=grouped).read())


def _tag(scanner: Scanner, grammar: Grammar) -> Steps[tuple[str, str] | None]:
    """The inside of a call's tag, the cursor in it, and what ends it."""
    inside, ends = "", tokens(">", "\n", "<", *grammar.astray)
    while found := (yield from scanner.short(ends)):
        inside += found[0]
        if found[1] not in grammar.astray:
            return inside, found[1]
    return None


def _in_text(reading: Reading, grammar: Grammar) -> Steps[bool]:
    """Whether a tag outside of a group is followed by ordinary text."""
    look = yield from reading.scanner.look(tokens(*grammar.argument, *grammar.call_end, "{"))
    return not look.found and (look.rest is None or not (reading.scanner.cut or reading.page.quiet))


def _undeclared(reading: Reading, grammar: Grammar, name: str, begin: int) -> Steps[bool]:
    """A call of a tool that nobody declared: its values are not read, since it may be a mention of the syntax."""
    scanner = reading.scanner
    try:
        mark = yield from scanner.find(tokens(*grammar.call_end, *grammar.group_end, *grammar.call, *grammar.group))
    except Ended:
        reading.tail(Draft(name, ""), begin, Open.VALUE)
        return True
    if mark in grammar.call or mark in grammar.group:
        scanner.at -= len(mark)
    reading.unreadable(begin, f"no tool is called {name[:80]!r}")
    return True


class _Call(RawCall):
    """A call by a grammar's tags; in place of them all there may be one JSON object (Functionary, now and then any model)."""

    def __init__(
        self, reading: Reading, fields: Fields, name: str, begin: int, grammar: Grammar, *, grouped: bool
    ) -> None:
        super().__init__(reading, fields, name, begin)
        self.grammar, self.grouped = grammar, grouped
        self.closers = (*grammar.call_end, *grammar.group_end, *grammar.skips)
        self.newline = grammar.newline
        self.ends = grammar.ends(grouped=grouped)
        self.json: str | None = None

    def draft(self) -> Draft:
        if self.json is not None:
            return Draft(self.name, self.json, tuple(self.fields.mends))
        draft = super().draft()
        missing = self.grammar.each and self.grammar.group and not self.grouped
        return replace(draft, mends=("missing_opener", *draft.mends)) if missing else draft

    def mentioned(self) -> bool:
        return not self.grouped and not self.fields.items and self.json is None

    def listed(self) -> Steps[bool]:
        grammar, scanner = self.grammar, self.scanner
        stops = (*grammar.group_end, *grammar.group, *grammar.call)
        wanted = tokens(*grammar.argument, *grammar.call_end, *stops, *grammar.skips, "{", '"', "}")
        while True:
            look = yield from scanner.look(wanted)
            if look.rest is not None:
                self.over(look.rest)
            if look.found in stops:
                self.fields.mends.append("missing_closer")
                return True
            json = look.found in ("{", '"')
            if not look.found or (json and (self.fields.items or self.json is not None)):
                return False
            scanner.at += look.end
            if look.found in grammar.call_end:
                return True
            if look.found == "}" and self.json is None:
                return False
            if look.found == "}" or look.found in grammar.skips:
                self.fields.mends += ["extra_closers"] if look.found == "}" else []
                continue
            if not (yield from self._document(look.found) if json else self._argument()):
                return False

    def over(self, rest: str) -> NoReturn:
        if self.json is None:
            super().over(rest)
        self.state = Open.CLOSED
        raise Ended

    def _argument(self) -> Steps[bool]:
        self.state = Open.OPENING
        found = yield from self.scanner.short(tokens(">", "<", "\n"))
        key = self.grammar.name_of(found[0]) if found else ""
        if not found or not key:
            return False
        if found[1] != ">":
            self.scanner.at -= 1
            self.fields.mends.append("unclosed_tag")
            if not self.fields.awaits(key):
                return False
        yield from self.value(key, self.ends, plain=self.grammar.plain_of(found[0]))
        return True

    def _document(self, opening: str) -> Steps[bool]:
        scanner = self.scanner
        scanner.at -= 1
        start = scanner.offset
        try:
            whole = yield from scanner.document(opening, self.grammar.call_end)
        except Ended:
            self.json, self.state = proven(scanner.since(start) + scanner.text[scanner.at :])
            raise
        text = scanner.since(start)
        self.json = text if whole else closed(text)
        self.fields.mends += [] if whole else ["missing_brace"]
        return self.json is not None

    def whole(self) -> Steps[None]:
        """Where a group holds one call, that is not whole before the group is closed too."""
        if self.grammar.each and self.grouped:
            look = yield from self.scanner.look(tokens(*self.closers, *self.grammar.group, "</"))
            if look.rest is not None:
                self.state = Open.CLOSED
                raise Ended
        yield from super().whole()


def render_tagged(call: Call, grammar: Grammar, *, quote: str = "") -> str:
    """The call as the dialect's template writes it, by the first of each kind of tag."""
    line = "\n" if grammar.newline else ""
    lines = [*grammar.group[:1], f"{grammar.call[0]}{quote}{call.name}{quote[-1:]}>"]
    for key, value in arguments_of(call).items():
        opener = f"{grammar.argument[0]}{quote}{key}{quote[-1:]}>"
        lines.append(f"{opener}{line}{grammar.encode(raw_text(value))}{line}{grammar.argument_end[0]}")
    return "\n".join((*lines, grammar.call_end[0], *grammar.group_end[:1]))


def render_invoke(call: Call, grammar: Grammar) -> str:
    """The same for tags that hold the name as an attribute."""
    return render_tagged(call, grammar, quote='name="')
