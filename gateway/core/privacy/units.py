"""A conversation as the texts that it carries, to the last leaf: one unit for each message, and for what stands beside them.

Law: whatever of a conversation goes over the wire is in some unit; a field that no code models is read as well.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Number
from gateway.core.conversation import Completion, Conversation, Image, Message, Named, Prose, ToolSpec
from gateway.core.jsontext import dumps
from gateway.core.privacy.finding import Place

TOOLS, COMPLETION, REST = -1, -2, -3  # the units that are no message

BREAK = "\n\0\n"  # between two leaves of a unit: no rule that stays in a line or skips blanks gets across
_BY_ROLE = {
    "system": Place.SYSTEM,
    "developer": Place.SYSTEM,
    "user": Place.USER,
    "assistant": Place.ASSISTANT,
    "tool": Place.RESULT,
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, where it stands, and the name of its field where that may tell what it is."""

    place: Place
    text: str
    name: str = ""

    @property
    def said(self) -> str:
        """What is scanned."""
        return f'{self.name}: "{self.text}"' if self.name else self.text


@dataclass(frozen=True)
class Unit:
    """What is scanned, cached and tainted as one. `digest` is of all that it holds."""

    index: int
    digest: bytes
    source: Message | Completion | Conversation

    @cached_property
    def leaves(self) -> Sequence[Leaf]:
        match self.source:
            case Message():
                return tuple(_of_message(self.source))
            case Completion():
                return tuple(_of_completion(self.source))
            case Conversation() if self.index == TOOLS:
                return tuple(leaf for tool in self.source.tools for leaf in _of_tool(tool))
            case Conversation():
                return tuple(_of_rest(self.source))

    @cached_property
    def text(self) -> str:
        """All leaves, one after the other: what a finding's span is a span of."""
        return BREAK.join(leaf.said for leaf in self.leaves)

    @property
    def images(self) -> Sequence[Image]:
        return () if isinstance(self.source, Conversation) else self.source.images


@dataclass(frozen=True, slots=True)
class Contents:
    """A conversation, and the units that it is read as: the messages in their order, then the rest of what it carries."""

    conversation: Conversation
    units: Sequence[Unit]


def contents(conversation: Conversation) -> Contents:
    """The contents of a conversation; costs a digest of all of it, and no more until somebody looks at a unit's text."""
    return Contents(conversation, tuple(_units(conversation)))


def _units(conversation: Conversation) -> Iterator[Unit]:
    for index, message in enumerate(conversation.messages):
        yield Unit(index, _digest(_strings(message)), message)
    if conversation.tools:
        told = ([tool.name, tool.description, tool.parameters, tool.extra] for tool in conversation.tools)
        yield Unit(TOOLS, _digest(list(map(dumps, told))), conversation)
    if found := conversation.completion:
        pictures = (image.data for image in found.images)
        yield Unit(COMPLETION, _digest((found.prompt, found.suffix, found.system, *pictures)), found)
    beside = [conversation.extra, conversation.options, conversation.sampling.stop, conversation.output]
    named = conversation.tool_choice.name if isinstance(conversation.tool_choice, Named) else ""
    effort = [conversation.think] if isinstance(conversation.think, str) else []
    if named or effort or any(beside):
        yield Unit(REST, _digest([named, *map(dumps, beside), *effort]), conversation)


def _strings(message: Message) -> list[str]:
    """All that a message holds, for its digest."""
    found = [message.role, message.name, message.answers, message.thinking]
    for part in message.content:
        found.append(part.text if isinstance(part, Prose) else part.data)
        if isinstance(part, Prose) and part.extra:
            found.append(dumps(part.extra))
    for call in message.calls:
        found += (call.id, call.name, call.arguments)
        if call.extra:
            found.append(dumps(call.extra))
    if message.extra:
        found.append(dumps(message.extra))
    return found


def _digest(strings: Sequence[str]) -> bytes:
    """One digest of several strings, that no other way of cutting them gives.

    marshal writes each with its length, in C; its version 1 has never changed, so that digests outlive an upgrade.
    """
    return sha256(marshal.dumps(list(strings), 1)).digest()


def _of_message(message: Message) -> Iterator[Leaf]:
    place = _BY_ROLE[message.role]
    yield from (Leaf(Place.NAME, message.name) for _ in range(bool(message.name)))
    yield from (Leaf(Place.ID, message.answers) for _ in range(bool(message.answers)))
    if message.thinking:
        yield Leaf(Place.THOUGHT, message.thinking)
    for part in message.content:
        if isinstance(part, Prose):
            yield Leaf(place, part.text)
            yield from _walked(Place.EXTRA, part.extra)
        else:
            yield Leaf(Place.IMAGE, part.mime)
    for call in message.calls:
        yield Leaf(Place.NAME, call.name)
        yield Leaf(Place.ID, call.id)
        document = read(call.arguments)  # a key that comes twice with different values makes it None: both are sent
        yield from _walked(Place.ARGUMENTS, document.value) if document else (Leaf(Place.ARGUMENTS, call.arguments),)
        yield from _walked(Place.EXTRA, call.extra)
    yield from _walked(Place.EXTRA, message.extra)


def _of_tool(tool: ToolSpec) -> Iterator[Leaf]:
    yield Leaf(Place.NAME, tool.name)
    yield Leaf(Place.TOOL, tool.description, "description")
    yield from _walked(Place.TOOL, tool.parameters)
    yield from _walked(Place.EXTRA, tool.extra)


def _of_completion(completion: Completion) -> Iterator[Leaf]:
    yield Leaf(Place.SYSTEM, completion.system)
    yield Leaf(Place.PROMPT, completion.prompt)
    yield Leaf(Place.PROMPT, completion.suffix)


def _of_rest(conversation: Conversation) -> Iterator[Leaf]:
    yield from _walked(Place.EXTRA, conversation.extra)
    yield from _walked(Place.EXTRA, conversation.options)
    yield from _walked(Place.EXTRA, conversation.sampling.stop)
    if isinstance(conversation.think, str):
        yield Leaf(Place.EXTRA, conversation.think)
    if isinstance(conversation.output, Mapping):
        yield from _walked(Place.EXTRA, conversation.output)
    if isinstance(conversation.tool_choice, Named):
        yield Leaf(Place.NAME, conversation.tool_choice.name)


def _walked(place: Place, value: object, name: str = "") -> Iterator[Leaf]:
    """The leaves of a JSON value. A key goes with its value where that is one leaf, else it is a leaf itself."""
    match value:
        case str():
            yield Leaf(place, value, name)
        case bool() | None:
            yield Leaf(place, name)
        case Number():
            yield Leaf(place, value.digits, name)
        case Mapping():
            for key, item in value.items():
                if isinstance(item, Mapping | list | tuple):
                    yield Leaf(place, str(key))
                yield from _walked(place, item, str(key))
        case list() | tuple():
            for item in value:
                yield from _walked(place, item, name)
        case _:
            yield Leaf(place, str(value), name)
