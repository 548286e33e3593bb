"""The chain hash: one short value for a message and all before it. Equal histories have equal chains, in any process and on any day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from gateway.core.conversation import Message, Prose

_BYTES = 16  # of a SHA-256, which has its own instructions in every processor since 2019: twice as fast as BLAKE2 there


def chain(messages: Iterable[Message], seed: bytes = b"") -> Iterator[bytes]:
    """The chain hash after each message, in order; `seed` keeps chains of different settings apart.

    Covers all that a prompt is made of; not what a client adds for caches and interfaces (`extra`).
    """
    state = hashlib.sha256(seed)
    for message in messages:
        state.update(_canonical(message))
        yield state.digest()[:_BYTES]


def _canonical(message: Message) -> bytes:
    parts = [message.role, message.answers, message.name, message.thinking]
    kinds = ""
    for piece in message.content:
        if isinstance(piece, Prose):
            kinds += "p"
            parts.append(piece.text)
        else:
            kinds += "i"
            parts += (piece.mime, piece.data)
    for call in message.calls:
        parts += (call.id, call.name, call.arguments)
    sizes = list(map(len, parts))  # so that no text can imitate another's seams
    return f"{kinds}{sizes}{''.join(parts)}".encode("utf-8", "surrogatepass")
