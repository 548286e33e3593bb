"""GLM: `<tool_call>NAME`, then keys and raw values in tags; from 4.7 on all of it on one line."""

from __future__ import annotations

import re

from gateway.core.calls.schema import properties_of
from gateway.core.conversation import ToolSpec
from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.members import Open
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.values import Ends, Field, Fields, arguments_of, list_state, raw_text, read_value
from gateway.core.stream import Call

_CALL, _CALL_END = "<tool_call>", "</tool_call>"
_KEY, _KEY_END, _VALUE, _VALUE_END = "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"
_NAME = re.compile(r"[\w.\-]+")


def _read(reading: Reading, _opener: str) -> Steps[bool]:
    scanner = reading.scanner
    try:
        found = yield from scanner.short(tokens(_KEY, _KEY_END, _VALUE, _CALL_END, _CALL, "{"))
    except Ended:
        return reading.nameless(reading.start)
    if found is None:
        return False
    name, stop = found[0].strip(), found[1]
    if not name and stop == _CALL_END:  # nothing is called
        return reading.empty()
    tool = reading.tool(name)
    if tool and stop != "{":
        return (yield from _Arguments(reading, tool, name).read(stop))
    split = _split(reading, name) if stop == _KEY_END else None
    if split:
        tool, key = split
        return (yield from _Arguments(reading, tool, tool.name, "glued_key").read(stop, key))
    return (yield from _undeclared(reading, name)) if _NAME.fullmatch(name) and stop != "{" else False


def _split(reading: Reading, glued: str) -> tuple[ToolSpec, str] | None:
    """A declared name and one of its keys that were written without the marker between them, if that is unambiguous."""
    found = [
        (tool, glued.removeprefix(tool.name).strip())
        for tool in reading.tools
        if glued.startswith(tool.name) and glued.removeprefix(tool.name).strip() in properties_of(tool.parameters)
    ]
    return found[0] if len(found) == 1 else None


def _undeclared(reading: Reading, name: str) -> Steps[bool]:
    scanner = reading.scanner
    scanner.rewind(reading.start + len(_CALL))
    try:
        mark = yield from scanner.find(tokens(_CALL_END, _CALL))
    except Ended:
        reading.tail(Draft(name, ""), reading.start, Open.VALUE)
        return True
    if mark == _CALL:
        scanner.at -= len(mark)
    reading.unreadable(reading.start, f"no tool is called {name[:80]!r}")
    return True


class _Arguments:
    """The arguments of one call, up to its closer."""

    def __init__(self, reading: Reading, tool: ToolSpec, name: str, *mends: str) -> None:
        self.reading, self.scanner, self.name = reading, reading.scanner, name
        self.fields = Fields(tool, mends=list(mends))
        self.start = self.scanner.offset
        self.state = Open.BETWEEN

    def read(self, stop: str, key: str = "") -> Steps[bool]:
        """`stop` is the marker behind the name, `key` the first argument's if it stood before that."""
        try:
            if (yield from self._list(stop, key)):
                self._whole()
            else:
                self.state = Open.BROKEN
                yield from self.scanner.find(tokens(_CALL_END))
                self.reading.unreadable(
                    self.reading.start, "something else than an argument stands among the arguments"
                )
        except Ended:
            self.reading.tail(self._draft(), self.reading.start, self.state)
        return True

    def _draft(self) -> Draft:
        arguments = self.fields.arguments(self.reading, self.start, newline=False)
        return Draft(self.name, arguments, tuple(self.fields.mends))

    def _whole(self) -> None:
        if self.fields.strained:
            self.reading.unreadable(self.reading.start, "where an argument ends cannot be told")
        else:
            self.reading.doubtful(self._draft(), self.reading.start)

    def _list(self, stop: str, key: str) -> Steps[bool]:
        """Arguments until the list is closed; False: something else stands among them."""
        scanner = self.scanner
        while stop != _CALL_END:
            if stop == _CALL and not (key := (yield from self._misplaced())):
                return True
            if stop not in (_KEY, _KEY_END, _CALL) or (stop == _KEY_END and not key):
                return False
            if not (yield from self._argument(key)):
                return False
            glued = self._glued()
            look = yield from scanner.look(tokens(_KEY, _CALL_END, _CALL, *glued))
            if look.rest is not None:
                self.state = list_state(look.rest, _CALL_END)
                raise Ended
            scanner.at += look.end
            stop, key = look.found, ""
            if stop in glued:
                stop, key = _KEY_END, glued[stop]
                self.fields.mends.append("missing_key_opener")
        return True

    def _glued(self) -> dict[str, str]:
        """Keys to come, as they stand where their opening marker is missing."""
        properties = properties_of(self.fields.tool.parameters)
        return {key + _KEY_END: key for key in properties if self.fields.awaits(key)}

    def _misplaced(self) -> Steps[str]:
        """The key behind a `<tool_call>` that stands in place of `<arg_key>`; "" where the next call begins there."""
        scanner = self.scanner
        at = scanner.offset
        self.state = Open.OPENING
        found = yield from scanner.short(tokens(_KEY_END, "<", "\n"))
        if found and found[1] == _KEY_END and self.fields.awaits(found[0].strip()):
            self.fields.mends.append("wrong_key_opener")
            return found[0].strip()
        scanner.rewind(at - len(_CALL))
        self.fields.mends.append("missing_closer")
        return ""

    def _argument(self, key: str) -> Steps[bool]:
        """One argument, the cursor inside its key or, if that is known, behind it."""
        scanner, mends = self.scanner, self.fields.mends
        self.state = Open.OPENING
        if not key:
            found = yield from scanner.short(tokens(_KEY_END, _VALUE, "<"))
            if not found or found[1] != _KEY_END:
                return False
            key = found[0].strip()
        look = yield from scanner.look(tokens(_VALUE, _KEY_END))
        while look.found == _KEY_END:
            mends.append("doubled_tag")
            scanner.at += look.end
            look = yield from scanner.look(tokens(_VALUE, _KEY_END))
        self.state = Open.VALUE
        if look.found == _VALUE:
            scanner.at += look.end
        else:
            mends.append("missing_value_opener")
            yield from scanner.token(tokens("\n"))
        ends = Ends(
            closers=(_VALUE_END,),
            next=(_KEY,),
            also=tuple(self._glued()),
            over=(_CALL_END,),
            again=(_CALL,),
            key_end=_KEY_END,
            line=False,
        )
        start, end = yield from read_value(self.reading, ends, self.fields, key)
        self.fields.items.append(Field(key, start, end))
        return True


def _render(call: Call, line: str) -> str:
    lines = [_CALL + call.name]
    for key, value in arguments_of(call).items():
        lines.append(f"{_KEY}{key}{_KEY_END}{line}{_VALUE}{raw_text(value)}{_VALUE_END}")
    return line.join((*lines, _CALL_END))


def _render45(call: Call) -> str:
    return _render(call, "\n")


def _render47(call: Call) -> str:
    return _render(call, "")


GLM45 = Dialect(
    name="glm-4.5",
    read=_read,
    render=_render45,
    openers=(Opener(_CALL),),
    closers=(_CALL_END,),
    inner=(_VALUE_END,),
    taught=("\n<arg_key>",),
    models=("glm-4.5", "glm-4.6", "glm4.5", "glm4.6", "glm4moe"),
)
GLM47 = Dialect(
    name="glm-4.7",
    read=_read,
    render=_render47,
    openers=(Opener(_CALL),),
    closers=(_CALL_END,),
    inner=(_VALUE_END,),
    taught=("<arg_key>",),
    models=("glm-4.7", "glm-5", "glm4.7", "glm4moelite", "glm"),
)
