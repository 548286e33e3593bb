"""The mark of what held something private: keyed hashes of its messages, which tell nothing to who has no key.

Law: a message that says the same in many chats is never marked: only what holds a finding, and what the model wrote after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from gateway.core.conversation import Message
from gateway.core.privacy.finding import Finding
from gateway.core.privacy.units import Unit

_OWN = 160  # characters of an answer that no other chat has word for word


def marks(conversation: Iterable[Unit], key: bytes) -> frozenset[bytes]:
    """The mark of each unit of a conversation, for asking whether any of them is tainted."""
    return frozenset(_mark(unit, key) for unit in conversation)


def taints(conversation: Iterable[Unit], findings: Iterable[Finding], key: bytes) -> frozenset[bytes]:
    """The marks to keep: of every unit that holds a finding, and of the longer answers that came after the first of them."""
    held = {finding.unit for finding in findings}
    first = min((index for index in held if index >= 0), default=None)
    return frozenset(
        _mark(unit, key)
        for unit in conversation
        if unit.index in held or (first is not None and unit.index > first and _is_own(unit.source))
    )


def _is_own(source: object) -> bool:
    """Whether it is an answer long enough to be this chat's alone."""
    if not isinstance(source, Message) or source.role != "assistant":
        return False
    return len(source.text) + sum(len(call.arguments) for call in source.calls) >= _OWN


def _mark(unit: Unit, key: bytes) -> bytes:
    return blake2b(unit.digest, key=key, digest_size=16).digest()
