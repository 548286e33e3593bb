"""Which messages of a request are its frame, always there and never changed, and which are the thread that grows from turn to turn.

The frame is the leading system block. Aider also sends few-shot examples, its repository map and the files anew each time, and its
rules once more at the end of the latest message, from where they are gone in the next request: frame too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.core.compaction.entries import retold
from gateway.core.compaction.marks import OPENER
from gateway.core.conversation import Message

# Aider 0.86, in the order in which it sends them; an assistant's short "Ok" follows each
_EXAMPLES_END = "I switched to a new code base."
_MAP = "Here are summaries of some files present in my git repository"
_READ_ONLY = "Here are some READ ONLY files"
_FILES = ("I have *added these files to the chat*", "I am not sharing any files that you can edit yet")
_SHORT = 200  # characters: the assistant's acknowledgement of a frame message is shorter
_LONG = 200  # characters: what is repeated from the first message is longer


@dataclass(frozen=True, slots=True)
class Layout:
    """Indices of the frame and of the thread; `current` is where in the thread Aider's current turn begins, where it says so.

    `said` is then the last message without the rules that it repeats, as it will stand in the next request.
    """

    frame: tuple[int, ...]
    thread: tuple[int, ...]
    current: int | None = None
    said: Message | None = None


def laid_out(messages: Sequence[Message]) -> Layout:
    """The layout of a request's messages."""
    lead = next((i for i, message in enumerate(messages) if message.role not in ("system", "developer")), len(messages))
    framed = {*range(lead), *_aider(messages, lead)}
    thread = tuple(i for i in range(len(messages)) if i not in framed)
    files = [i for i in framed if i >= lead and messages[i].text.startswith(_FILES)]
    current = sum(i < max(files) for i in thread) if files else None
    said = _without_rules(messages[thread[-1]], messages[0].text) if files and thread else None
    return Layout(tuple(sorted(framed)), thread, current, said)


def _aider(messages: Sequence[Message], lead: int) -> Iterator[int]:
    for i in range(lead, len(messages)):
        text = messages[i].text if messages[i].role == "user" else ""
        if text.startswith(_EXAMPLES_END):
            yield from range(lead, i)
        if text.startswith((_EXAMPLES_END, _MAP, _READ_ONLY, *_FILES)):
            yield i
            if i + 1 < len(messages) and messages[i + 1].role == "assistant" and len(messages[i + 1].text) < _SHORT:
                yield i + 1


def _without_rules(last: Message, rules: str) -> Message | None:
    """`last` without a long end of `rules` behind a blank line, perhaps under a mark of ours; None where there is none."""
    text, rules = last.text, rules.rstrip()
    at = text.find("\n\n") if last.role == "user" else -1
    while at >= 0:
        end = text[at:].strip()
        end = end.partition("\n")[2].lstrip() if end.startswith(OPENER) else end
        if len(end) < _LONG:
            return None
        if rules.endswith(end):
            return retold(last, text[:at])
        at = text.find("\n\n", at + 1)
    return None
