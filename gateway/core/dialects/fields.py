"""The arguments of a call that were written as raw text, typed by the tool's schema; and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Json, write
from gateway.core.calls.schema import properties_of, typed, types_of
from gateway.core.conversation import ToolSpec
from gateway.core.dialects.reading import Reading
from gateway.core.stream import Call


@dataclass(frozen=True, slots=True)
class Field:
    """One argument: where its raw value stands. `plain`: its tag says that it is a string (True) or JSON (False)."""

    key: str
    start: int
    end: int
    plain: bool | None = None


@dataclass(slots=True)
class Fields:
    """The arguments of a call so far, and what was put right to find them."""

    tool: ToolSpec
    items: list[Field] = field(default_factory=list)
    mends: list[str] = field(default_factory=list)
    decode: Callable[[str], str] = str  # what a raw value stands for, where the template writes some in another way
    structured: Callable[[str], Json] = lambda _text: None  # reads a value that is nested markup
    unclear: bool = False  # where a value ends cannot be told
    strained: bool = False  # a value was ended where it seemed to go on, for want of a better end

    @property
    def keys(self) -> set[str]:
        return {item.key for item in self.items}

    def awaits(self, key: str) -> bool:
        return key in properties_of(self.tool.parameters) and key not in self.keys

    def arguments(self, reading: Reading, start: int, *, newline: bool) -> str:
        """As JSON text, typed by the schema. `newline`: the template sets each value on lines of its own."""
        raw = reading.scanner.since(start)
        pairs = []
        for item in self.items:
            text = raw[item.start - start : item.end - start]
            value = self._value(item, self.decode(without_lines(text) if newline else text))
            pairs.append(f"{write(item.key)}: {write(value)}")
        return "{" + ", ".join(pairs) + "}"

    def _value(self, item: Field, text: str) -> Json:
        if item.plain:
            return text
        if item.plain is False and (document := read(text.strip())):
            return document.value
        root: Mapping[str, object] = self.tool.parameters
        types = types_of(properties_of(root).get(item.key), root)
        found = typed(text, types)
        if found is None and types & {"array", "object"} and (nested := self.structured(text)) is not None:
            return _listed(nested) if "array" in types else nested
        return found.value if found else text


def _listed(value: Json) -> Json:
    """The list that an argument of type array means by elements of one name, or by a single one."""
    if isinstance(value, dict) and len(value) == 1:
        [value] = value.values()
    return value if isinstance(value, list) else [value]


def arguments_of(call: Call) -> dict[str, Json]:
    """The arguments of a call that passed the gate."""
    document = read(call.arguments)
    return document.value if document and isinstance(document.value, dict) else {}


def raw_text(value: Json) -> str:
    """A value as a template writes it raw: a string as it is, everything else as JSON."""
    return value if isinstance(value, str) else write(value)


def without_lines(text: str) -> str:
    """The text without exactly one line end on each side, which is the template's; further ones are the value's."""
    line_end = "\r\n" if text.startswith("\r\n") else "\n"
    return text.removeprefix(line_end).removesuffix(line_end)
