"""GLM: `<tool_call>NAME`, then keys and raw values in tags; from 4.7 on all of it on one line."""

from __future__ import annotations

import re
from functools import partial

from gateway.core.calls.schema import properties_of, required_of
from gateway.core.conversation import ToolSpec
from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.fields import Fields, arguments_of, raw_text
from gateway.core.dialects.members import Open
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.raw_call import RawCall
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.values import Ends
from gateway.core.stream import Call

_CALL, _CALL_END = "<tool_call>", "</tool_call>"
_KEY, _KEY_END, _VALUE, _VALUE_END = "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"
_NAME = re.compile(r"[\w.\-]+")


def _read(reading: Reading) -> Steps[bool]:
    scanner = reading.scanner
    if reading.opener != _CALL:
        scanner.rewind(reading.start)
        reading.mends = (*reading.mends, "missing_opener")
    try:
        found = yield from scanner.short(tokens(_KEY, _KEY_END, _VALUE, _CALL_END, _CALL, "{"))
    except Ended:
        return _cut(reading)
    if found is None:
        return False
    name, stop = found[0].strip(), found[1]
    if not name and stop == _CALL_END:  # nothing is called
        return reading.empty()
    tool = reading.meant(name)
    if stop == "{":
        scanner.at -= 1
        return tool is not None and (
            yield from read_arguments(reading, Draft(name, ""), reading.start, closers=(_CALL_END,))
        )
    if tool:
        return (yield from _Call(reading, tool, name, stop).read())
    split = _split(reading, name) if stop == _KEY_END else None
    if split:
        tool, key = split
        return (yield from _Call(reading, tool, tool.name, stop, key).read())
    return (yield from _undeclared(reading, name)) if _NAME.fullmatch(name) else False


def _cut(reading: Reading) -> bool:
    """The text ended in the name, or in the closer of a call that has no arguments."""
    name, mark, rest = reading.scanner.text[reading.scanner.at :].partition("<")
    tool = reading.tool(name.strip())
    if tool and rest and _CALL_END.startswith(mark + rest) and not required_of(tool.parameters):
        reading.tail(Draft(tool.name, "{}"), reading.start, Open.CLOSED)
        return True
    first, *more = name.split(maxsplit=1)[:2] or [""]
    if more and reading.tool(first) and not reading.scanner.cut:  # prose, which may hold another call
        return False
    return reading.nameless(reading.start)


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


class _Call(RawCall):
    """A call of which the name, and what stands behind it, were read: `stop`, and before that perhaps the first `key`."""

    closers = (_CALL_END,)

    def __init__(self, reading: Reading, tool: ToolSpec, name: str, stop: str, key: str = "") -> None:
        super().__init__(reading, Fields(tool, mends=["glued_key"] if key else []), name, reading.start)
        self.stop, self.key = stop, key

    def listed(self) -> Steps[bool]:
        scanner = self.scanner
        stop, key = self.stop, self.key
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
                self.over(look.rest)
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
            found = yield from scanner.short(tokens(_KEY, _KEY_END, _VALUE, _VALUE_END, _CALL_END))
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
        elif (yield from scanner.ahead(look.end, 4)).casefold() == _VALUE[:4]:  # the opener, damaged
            return False
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
        yield from self.value(key, ends)
        return True


def _named(name: str) -> tuple[Opener, ...]:
    return (Opener(name, then=(_KEY,), where=Where.LINE),)


def _render(call: Call, *, line: str) -> str:
    lines = [_CALL + call.name]
    for key, value in arguments_of(call).items():
        lines.append(f"{_KEY}{key}{_KEY_END}{line}{_VALUE}{raw_text(value)}{_VALUE_END}")
    return line.join((*lines, _CALL_END))


GLM45 = Dialect(
    name="glm-4.5",
    read=_read,
    render=partial(_render, line="\n"),
    openers=(Opener(_CALL),),
    named=_named,
    closers=(_CALL_END,),
    inner=(_VALUE_END,),
    taught=("\n<arg_key>",),
    models=("glm-4.5", "glm-4.6", "glm4.5", "glm4.6", "glm4moe"),
)
GLM47 = Dialect(
    name="glm-4.7",
    read=_read,
    render=partial(_render, line=""),
    openers=(Opener(_CALL),),
    named=_named,
    closers=(_CALL_END,),
    inner=(_VALUE_END,),
    taught=("<arg_key>",),
    models=("glm-4.7", "glm-5", "glm4.7", "glm4moelite", "glm"),
)
