"""Cline and Roo prompts: the tool's name is the tag, its arguments are tags inside, raw; Roo nests real XML in some.

Only declared names are tags. Nested XML is read by a strict parser: what is no XML stays text.
"""

from __future__ import annotations

import re

from lxml import etree

from gateway.core.calls.json_value import Json, write
from gateway.core.calls.schema import properties_of
from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.fields import Fields, arguments_of, raw_text
from gateway.core.dialects.members import Open
from gateway.core.dialects.raw_call import RawCall
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.values import Ends
from gateway.core.stream import Call

# Keys that need no declaration (Roo's `line_count`): no tag of HTML looks so.
_UNDECLARED = re.compile(r"[A-Za-z]\w*_\w+|args")
_UNDECLARED_TAG = re.compile(rf"<(?:{_UNDECLARED.pattern})>")


def _read(reading: Reading) -> Steps[bool]:
    return (yield from _Call(reading, reading.opener[1:-1]).read())


class _Call(RawCall):
    """A call by the tags of its tool's name and arguments."""

    newline = True

    def __init__(self, reading: Reading, name: str) -> None:
        tool = reading.tool(name)
        assert tool is not None  # the opener was made of its name
        super().__init__(reading, Fields(tool, structured=_nested), name, reading.start)
        self.closers = (f"</{name}>",)
        self.openers = tuple(f"<{key}>" for key in properties_of(tool.parameters))
        self.next = tuple(f"<{other.name}>" for other in reading.tools if f"<{other.name}>" not in self.openers)

    def mentioned(self) -> bool:
        return not self.fields.items

    def draft(self) -> Draft:
        inner = self._wrapped() if self.fields.keys == {"args"} else None
        return super().draft() if inner is None else Draft(self.name, write(inner), tuple(self.fields.mends))

    def _wrapped(self) -> Json:
        """What `<args>` holds, where the tool itself does not know it: `<args><file><path>` is a path."""
        properties = properties_of(self.fields.tool.parameters)
        item = self.fields.items[0]
        inner = None if "args" in properties else _nested(self.scanner.since(item.start)[: item.end - item.start])
        while isinstance(inner, dict) and len(inner) == 1 and not properties.keys() & inner.keys():
            [inner] = inner.values()
        return inner if isinstance(inner, dict) else None

    def whole(self) -> Steps[None]:
        while (look := (yield from self.scanner.look(tokens(*self.closers)))).found:
            self.scanner.at += look.end
            self.fields.mends.append("extra_closers")
        yield from super().whole()

    def listed(self) -> Steps[bool]:
        scanner = self.scanner
        while True:
            look = yield from scanner.look(tokens(*self.closers, *self.openers, *self.next, "<"))
            if look.rest is not None:
                self.over(look.rest)
            if not look.found:
                return False
            if look.found in self.next:
                self.fields.mends.append("missing_closer")
                return True
            scanner.at += look.end
            if look.found in self.closers:
                return True
            self.state = Open.OPENING
            key = look.found[1:-1] or (yield from self._undeclared())
            if not key:
                return False
            yield from self.value(key, self._ends(key))

    def _undeclared(self) -> Steps[str]:
        """The key in a tag that the tool does not declare; "" where it looks like no argument's."""
        found = yield from self.scanner.short(tokens(">", "<", "\n"))
        key = found[0] if found and found[1] == ">" else ""
        return key if key == "args" or (self.fields.items and _UNDECLARED.fullmatch(key)) else ""

    def _ends(self, key: str) -> Ends:
        return Ends(
            closers=(f"</{key}>",),
            next=self.openers,
            inner=(f"<{key}>",),
            unknown=_UNDECLARED_TAG,
            over=self.closers,
            again=self.next,
            key_end="",
            lenient=False,
        )


def _nested(text: str) -> Json:
    """The elements in a text of XML: a text for a leaf, an object for children, a list for several of one name."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=False)
    try:
        return _value(etree.fromstring(f"<args>{text}</args>", parser))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _value(element: etree._Element) -> Json:
    if not len(element):
        return element.text or ""
    if "".join([element.text or "", *(child.tail or "" for child in element)]).strip():
        raise ValueError("text among elements")
    found: dict[str, list[Json]] = {}
    for child in element:
        found.setdefault(str(child.tag), []).append(_value(child))
    return {tag: values[0] if len(values) == 1 else values for tag, values in found.items()}


def _named(name: str) -> tuple[Opener, ...]:
    return (Opener(f"<{name}>"),)


def _render(call: Call) -> str:
    lines = [f"<{call.name}>"]
    lines += [f"<{key}>\n{raw_text(value)}\n</{key}>" for key, value in arguments_of(call).items()]
    return "\n".join((*lines, f"</{call.name}>"))


CLINE = Dialect(
    name="cline",
    read=_read,
    render=_render,
    named=_named,
)
