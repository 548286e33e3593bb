"""One message of the thread as it stands now, beside what the client sent and what it tells of files and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.core.compaction.calls import call_deeds
from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.prose import acted, edited, is_output, open_file
from gateway.core.conversation import Message, Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message at its `place` in the thread. `deeds` are those whose output it is, or that its SEARCH/REPLACE blocks are.

    `source` and `was` are the message and its tokens as the client sent it, `message` and `tokens` as it stands;
    `stage` is the stage that made it so.
    """

    place: int
    source: Message
    was: int
    message: Message
    tokens: int
    stage: str = ""
    output: bool = False
    deeds: tuple[Deed, ...] = ()

    def become(self, message: Message, tokens: int, stage: str) -> Entry:
        return replace(self, message=message, tokens=tokens, stage=stage)


@dataclass(slots=True)
class Reader:
    """Reads a thread message by message and joins each output to the deeds that it is the output of."""

    _calls: list[tuple[str, tuple[Deed, ...]]] = field(default_factory=list)
    _prose: tuple[Deed, ...] = ()
    _asked: bool = False  # the user has spoken: what comes first is the task, whatever it looks like

    def copy(self) -> Reader:
        return Reader(list(self._calls), self._prose, self._asked)

    def entry(self, place: int, message: Message, tokens: int) -> Entry:
        """The entry of the next message, which takes `tokens` in the prompt."""
        output = False
        deeds: tuple[Deed, ...] = ()
        match message.role:
            case "assistant":
                deeds = self._assistant(message)
            case "tool":
                output, deeds = True, self._answered(message)
            case "user" if self._asked and is_output(message.text):
                output, deeds = True, _placed(self._prose, message)
            case "user":
                self._asked = True
            case _:
                pass
        if message.role != "tool":
            self._prose = acted(message.text) if message.role == "assistant" else ()
        return Entry(
            place=place, source=message, was=tokens, message=message, tokens=tokens, output=output, deeds=deeds
        )

    def _assistant(self, message: Message) -> tuple[Deed, ...]:
        self._calls = [(call.id, call_deeds(call)) for call in message.calls]
        return tuple(Deed("change", path) for path in edited(message.text))

    def _answered(self, message: Message) -> tuple[Deed, ...]:
        """The deeds of the call that `message` answers: the one of its id, or the next one where there are no ids."""
        at = next((i for i, (call, _) in enumerate(self._calls) if call == message.answers), None)
        return () if at is None else _placed(self._calls.pop(at)[1], message)


def _placed(deeds: Sequence[Deed], output: Message) -> tuple[Deed, ...]:
    """`deeds`, a change without a path given that of the file that the output says is open."""
    if all(deed.path for deed in deeds if deed.kind == "change"):
        return tuple(deeds)
    path = open_file(output.text)
    return tuple(replace(deed, path=path) if deed.kind == "change" and not deed.path else deed for deed in deeds)


def retold(message: Message, text: str) -> Message:
    """`message` with `text` in place of its prose; pictures stay."""
    return replace(message, content=(Prose(text), *message.images) if text else message.images)
