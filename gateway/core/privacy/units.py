"""A conversation as the texts that it carries, to the last leaf: what a scan reads, one unit for each message and for what stands beside them.

Law: whatever of a conversation goes over the wire is in some unit; a field that no code models is read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import orjson

from gateway.core.conversation import Completion, Conversation, Extra, Image, Message, Named, Prose, ToolSpec
from gateway.core.jsontext import NotJson, dump, loads
from gateway.core.privacy.finding import Place

TOOLS, COMPLETION, REST = -1, -2, -3  # the units that are no message

BREAK = "\n\0\n"  # between two leaves of a unit: no rule of one line, and none that skips blanks, gets across
_BY_ROLE = {
    "system": Place.SYSTEM,
    "developer": Place.SYSTEM,
    "user": Place.USER,
    "assistant": Place.ASSISTANT,
    "tool": Place.RESULT,
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text and where it stands. A value with a name reads `name: "value"`, so that the name tells what the value is."""

    place: Place
    text: str


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
            case Conversation():
                return tuple(_of_tools(self.source.tools) if self.index == TOOLS else _of_rest(self.source))

    @cached_property
    def text(self) -> str:
        """All leaves, one after the other."""
        return BREAK.join(leaf.text for leaf in self.leaves)

    @property
    def images(self) -> int:
        return len(self.source.images) if isinstance(self.source, Message | Completion) else 0


def units(conversation: Conversation) -> Iterator[Unit]:
    """The units of a conversation, messages first, in their order."""
    for index, message in enumerate(conversation.messages):
        yield Unit(index, _digest(message), message)
    if conversation.tools:
        yield Unit(TOOLS, _hash(*map(_spec_bytes, conversation.tools)), conversation)
    if conversation.completion:
        yield Unit(COMPLETION, _hash(dump_plain(conversation.completion)), conversation.completion)
    rest = [conversation.options, conversation.extra, conversation.output, conversation.sampling.stop, conversation.tool_choice]
    if any(rest):
        yield Unit(REST, _hash(dump_plain(rest)), conversation)
