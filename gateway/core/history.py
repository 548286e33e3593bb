"""What clients send that strict templates refuse is put right before it is sent on, and said; ids stay the client's own.

Law: nothing that was said is lost: what has no valid place stands in a user's message, under a mark. A history that needs nothing is
returned as it came, and a repaired one needs nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.core import jsontext
from gateway.core.compaction.head import joined
from gateway.core.compaction.marks import mark
from gateway.core.conversation import Content, Message, Prose, ToolCall

ARGUMENTS = "arguments"  # a call's arguments were no JSON object
RESULT = "result"  # a call had no result
ORPHAN = "orphan"  # a result had no call
ORDER = "order"  # something stood between a call and its result
SYSTEM = "system"  # a system message was not the one at the beginning, or called developer
EMPTY = "empty"  # a message said nothing

_SYSTEMS = ("system", "developer")
UNREADABLE = "unreadable"  # the key under which arguments stand that were no object
_NO_RESULT = mark("no result of this call was recorded")
_NOTHING = mark("an empty message")
_SYSTEM = mark("the client sent what follows as a system message")
_ORPHAN = mark("the output of a tool, whose call is not in this history")


def repair(messages: Sequence[Message]) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """`messages`, valid for strict templates, and what was put right, in the words above, each once."""
    did: list[str] = []
    first = next((i for i, message in enumerate(messages) if message.role not in _SYSTEMS), len(messages))
    system = _one_system(messages[:first], did)
    sound = [_with_objects(message, did) for message in messages[first:]]
    told = _speaking(_paired(sound, did), did)
    return (*system, *_merged(told)), tuple(dict.fromkeys(did))


def _one_system(lead: Sequence[Message], did: list[str]) -> tuple[Message, ...]:
    if not lead or (len(lead) == 1 and lead[0].role == "system"):
        return tuple(lead)
    did.append(SYSTEM)
    content: tuple[Content, ...] = ()
    for message in lead:
        content = joined(content, message.content)
    return (replace(lead[0], role="system", content=content),)


def _with_objects(message: Message, did: list[str]) -> Message:
    if not message.calls:
        return message
    calls = tuple(_with_object(call) for call in message.calls)
    if calls == message.calls:
        return message
    did.append(ARGUMENTS)
    return replace(message, calls=calls)


def _with_object(call: ToolCall) -> ToolCall:
    """`call` with an object for arguments: its own, the one in a string, {} for nothing, else its text under a key of ours."""
    value = _value(call.arguments)
    if isinstance(value, dict):
        return call
    if isinstance(value, str) and isinstance(_value(value), dict):
        return replace(call, arguments=value)
    empty = value is None and call.arguments.strip() in ("", "null")
    return replace(call, arguments="{}" if empty else jsontext.dumps({UNREADABLE: call.arguments}))


def _value(text: str) -> object:
    try:
        return jsontext.loads(text)
    except jsontext.NotJson:
        return None


@dataclass(frozen=True, slots=True)
class _Told:
    """A message; `glued` where it must not stand beside another message of the user, since it did not before."""

    message: Message
    glued: bool = False


def _paired(messages: Sequence[Message], did: list[str]) -> Iterator[_Told]:
    """Each call with its results right after it, those that are missing said to be so; results without a call as a user's text."""
    at = 0
    while at < len(messages):
        message = messages[at]
        at += 1
        if message.role == "tool":
            did.append(ORPHAN)
            yield _as_user(message, _ORPHAN)
            continue
        yield _Told(message)
        if message.role == "assistant" and message.calls:
            end = next((i for i in range(at, len(messages)) if messages[i].role == "assistant"), len(messages))
            yield from _batch(message.calls, messages[at:end], did)
            at = end


def _batch(calls: Sequence[ToolCall], after: Sequence[Message], did: list[str]) -> Iterator[_Told]:
    """The results of `calls` out of what stands before the next answer, and then the rest of that."""
    waiting = list(calls)
    later: list[_Told] = []
    for message in after:
        call = _answered(waiting, message) if message.role == "tool" else None
        if call:
            waiting.remove(call)
            if later:
                did.append(ORDER)
                later = [_Told(told.message, glued=True) for told in later]
            yield _Told(message)
        elif message.role == "tool":
            did.append(ORPHAN)
            later.append(_as_user(message, _ORPHAN))
        else:
            later.append(_Told(message))
    for call in waiting:
        did.append(RESULT)
        yield _Told(Message(role="tool", answers=call.id, name=call.name, content=(Prose(_NO_RESULT),)))
    yield from later


def _answered(waiting: Sequence[ToolCall], result: Message) -> ToolCall | None:
    """The call that `result` answers: that of its id, or the next one where one of the two has none (Ollama's own API)."""
    same = (call for call in waiting if call.id == result.answers)
    nameless = (call for call in waiting if not call.id or not result.answers)
    return next(same, None) or next(nameless, None)


def _speaking(messages: Iterable[_Told], did: list[str]) -> Iterator[_Told]:
    """No message that says nothing, and no system message, since the one at the beginning stands already."""
    dropped = False
    for told in messages:
        message = told.message
        if message.role in _SYSTEMS:
            did.append(SYSTEM)
            yield _as_user(message, _SYSTEM)
        elif message.role == "assistant" and _says_nothing(message):
            did.append(EMPTY)
            dropped = True
            continue
        elif message.role == "user" and _says_nothing(message):
            did.append(EMPTY)
            yield _Told(replace(message, content=(Prose(_NOTHING),)), glued=told.glued or dropped)
        else:
            yield _Told(message, glued=True) if dropped else told
        dropped = False


def _says_nothing(message: Message) -> bool:
    text = message.text
    return not ((text and not text.isspace()) or message.calls or message.thinking or message.images)


def _as_user(message: Message, note: str) -> _Told:
    content: tuple[Content, ...] = (Prose(f"{note}\n{message.text}"), *message.images)
    return _Told(Message(role="user", content=content), glued=True)


def _merged(messages: Iterable[_Told]) -> Iterator[Message]:
    """The messages, those of the user that must not stand beside each other as one."""
    last: _Told | None = None
    for told in messages:
        if last and last.message.role == told.message.role == "user" and (last.glued or told.glued):
            content = joined(last.message.content, told.message.content)
            last = _Told(replace(last.message, content=content), glued=told.glued)
            continue
        if last:
            yield last.message
        last = told
    if last:
        yield last.message
