"""What others do with a history that is too long, what a prefix cache then has to read, and what of the history is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from gateway.core.compaction.calls import arguments_of, call_deeds
from gateway.core.compaction.outputs import last_error
from gateway.core.compaction.prose import is_output
from gateway.core.conversation import Message, Prose

FIXED = 3  # tokens of <|im_start|>assistant\n
Size = Callable[[Message], int]
_IDENTIFIER = re.compile(r"[A-Za-z_][\w./-]{5,}")
_OLD = ("oldText", "old_str", "old_string", "old_text")


def front(messages: Sequence[Message], sizes: Sequence[int], budget: int) -> list[Message]:
    """Ollama's way, kinder: the oldest whole batches go until the rest fits."""
    starts = [i for i, message in enumerate(messages) if message.role not in ("tool", "system")] + [len(messages)]
    left, first = FIXED + sum(sizes[: len(messages)]), 0
    while left > budget and first < len(starts) - 2:
        left -= sum(sizes[starts[first] : starts[first + 1]])
        first += 1
    return [message for i, message in enumerate(messages) if message.role == "system" or i >= starts[first]]


def sliding(messages: Sequence[Message], size: Size, budget: int) -> list[Message]:
    """At every request the outputs but the last ten are cleared; then as `front`."""
    outputs = [i for i, m in enumerate(messages) if m.role == "tool" or (m.role == "user" and i and is_output(m.text))]
    old = set(outputs[:-10])
    gone = (Prose("[output cleared]"),)
    masked = [replace(message, content=gone) if i in old else message for i, message in enumerate(messages)]
    return front(masked, [size(message) for message in masked], budget)


def fresh(before: Sequence[Message], now: Sequence[Message], size: Size) -> int:
    """Tokens of `now` that a cache which holds `before` must read; a message that differs counts from where it does."""
    total, shared = sum(map(size, now)), 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            if old.role == new.role:
                common = sum(
                    1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old.text, new.text, strict=False))
                )
                shared += size(new) * common // (len(new.text) + 1)
            break
        shared += size(new)
    return total - shared


def kept(messages: Sequence[Message], answer: Message, sent: Sequence[Message]) -> Iterator[tuple[str, float]]:
    """For each thing worth keeping of `messages`, the share of it that is in what is sent; `answer` is what the model said next."""
    whole, left = flat(messages), flat(sent)
    for name, texts in worth(messages, answer):
        there = [text for text in map(flattened, texts) if text and text in whole]
        if there:
            yield name, sum(text in left for text in there) / len(there)


def worth(messages: Sequence[Message], answer: Message) -> Iterator[tuple[str, list[str]]]:
    asked = [message.text[:200] for message in messages if message.role == "user"]
    yield "task", asked[:1]
    yield "user messages", asked
    yield (
        "edited files",
        sorted({d.path for m in messages for c in m.calls for d in call_deeds(c) if d.kind == "change"}),
    )
    yield "last error", [found for m in messages[-30:] if m.role == "tool" and (found := last_error(m.text))][-1:]
    yield "identifiers of the next answer", sorted(set(_IDENTIFIER.findall(flat([answer]))))
    yield "old lines of the next edit", list(old_lines(answer))


def old_lines(answer: Message) -> Iterator[str]:
    for call in answer.calls:
        for key in _OLD:
            text = arguments_of(call).get(key)
            lines = text.splitlines() if isinstance(text, str) else []
            yield from (line for line in lines if len(line.strip()) >= 10)


def flat(messages: Sequence[Message]) -> str:
    inside = (text for m in messages for text in (m.text, *(str(v) for c in m.calls for v in told(arguments_of(c)))))
    return flattened("\n".join(inside))


def told(value: object) -> Iterator[object]:
    match value:
        case dict():
            yield from (inner for item in value.values() for inner in told(item))
        case list():
            yield from (inner for item in value for inner in told(item))
        case _:
            yield value


def flattened(text: str) -> str:
    return " ".join(text.split())
