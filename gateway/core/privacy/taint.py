"""The mark of what held something private: keyed hashes of its messages and of its session, which tell nothing to who has no key.

Law: a message that says the same in many chats is never marked: only what holds a finding by itself, and what the model wrote
after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from gateway.core.conversation import Message
from gateway.core.privacy.units import Unit

_OWN = 160  # characters of an answer that no other chat has word for word


def marks(units: Sequence[Unit], session: str, *, key: bytes) -> frozenset[bytes]:
    """The mark of each unit, and of the session where the client names one: any of them may be tainted."""
    return frozenset(map(_marking(key), units)) | session_marks(session, key=key)


def spread(
    units: Sequence[Unit], held: frozenset[int], *, first: int | None, session: str, key: bytes
) -> frozenset[bytes]:
    """The marks to keep: of the units in `held`, of the longer answers since the `first` that something private came up in, of the session."""
    since = (
        unit
        for unit in units
        if unit.index in held or (first is not None and unit.index > first and _is_own(unit.source))
    )
    return frozenset(map(_marking(key), since)) | session_marks(session, key=key)


def tainted_units(units: Sequence[Unit], tainted: frozenset[bytes], *, key: bytes) -> frozenset[int]:
    """The units whose marks are among the tainted."""
    mark = _marking(key)
    return frozenset(unit.index for unit in units if mark(unit) in tainted)


def session_marks(session: str, *, key: bytes) -> frozenset[bytes]:
    """The mark of a session by the client's own name for it; none where it has no name."""
    said = b"session\0" + session.encode("utf-8", "surrogatepass")
    return frozenset((blake2b(said, key=key, digest_size=16).digest(),)) if session else frozenset()


def _marking(key: bytes) -> Callable[[Unit], bytes]:
    return lambda unit: blake2b(unit.digest, key=key, digest_size=16).digest()


def _is_own(source: object) -> bool:
    """Whether it is an answer long enough to be this chat's alone."""
    if not isinstance(source, Message) or source.role != "assistant":
        return False
    return len(source.text) + sum(len(call.arguments) for call in source.calls) >= _OWN
