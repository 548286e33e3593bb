"""Which call a tool's result answers. Clients tell it by id, by the tool's name, or only by the order; upstreams want to be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.core.conversation import Message, ToolCall


def with_names(messages: Sequence[Message]) -> list[Message]:
    """Every result with the name of its tool: Ollama's templates write it (gpt-oss), OpenAI's clients leave it out."""
    return [
        replace(message, name=call.name) if call and not message.name else message
        for message, call in _answered(messages)
    ]


def with_ids(messages: Sequence[Message]) -> list[Message]:
    """Every call with an id and every result with its call's: OpenAI's servers want them, Ollama's clients leave them out."""
    if all(_has_ids(message) for message in messages):
        return list(messages)
    named = [message if _has_ids(message) else _with_call_ids(message, place) for place, message in enumerate(messages)]
    return [
        message if _has_ids(message) else replace(message, answers=call.id if call else f"call_{place}")
        for place, (message, call) in enumerate(_answered(named))
    ]


def _has_ids(message: Message) -> bool:
    return all(call.id for call in message.calls) and (message.role != "tool" or bool(message.answers))


def _with_call_ids(message: Message, place: int) -> Message:
    calls = (replace(call, id=call.id or f"call_{place}_{number}") for number, call in enumerate(message.calls))
    return replace(message, calls=tuple(calls))


def _answered(messages: Sequence[Message]) -> Iterator[tuple[Message, ToolCall | None]]:
    """Each message with the call that it answers; None for all but tool messages, and where nothing fits."""
    by_id: dict[str, ToolCall] = {}
    waiting: list[ToolCall] = []
    for message in messages:
        if message.role != "tool":
            if message.calls:
                waiting = list(message.calls)
                by_id |= {call.id: call for call in message.calls if call.id}
            yield message, None
            continue
        call = by_id.get(message.answers) if message.answers else _next(waiting, message.name)
        if call in waiting:
            waiting.remove(call)
        yield message, call


def _next(waiting: Sequence[ToolCall], name: str) -> ToolCall | None:
    return next((call for call in waiting if not name or call.name == name), None)
