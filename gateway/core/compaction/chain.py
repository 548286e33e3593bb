"""The chain hash: one short value for a message and all before it. Equal histories have equal chains, in any process and on any day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from gateway.core.conversation import Image, Message, Prose

_BYTES = 16


def chain(messages: Iterable[Message], seed: bytes = b"") -> Iterator[bytes]:
    """The chain hash after each message, in order; `seed` keeps chains of different settings apart.

    Covers all that a prompt is made of; not what a client adds for caches and interfaces (`extra`).
    """
    state = hashlib.blake2b(seed, digest_size=_BYTES)
    for message in messages:
        state.update(_canonical(message))
        yield state.digest()


def _canonical(message: Message) -> bytes:
    parts = [message.role, message.answers, message.name, message.thinking, str(len(message.content))]
    for piece in message.content:
        match piece:
            case Prose(text):
                parts.append(text)
            case Image(data, mime):
                parts += ("\x00", mime, data)
    for call in message.calls:
        parts += (call.id, call.name, call.arguments)
    body = "\x00".join(parts)
    sizes = ",".join([str(len(part)) for part in parts])  # so that no text can imitate another's seams
    return f"{sizes}\n{body}".encode("utf-8", "surrogatepass")
