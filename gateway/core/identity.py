"""Which requests are the same request, and which history goes on from which: hashes over the neutral conversation."""

from __future__ import annotations

from hashlib import blake2b

import orjson

from gateway.core.conversation import Conversation


def fingerprint(conversation: Conversation, *parts: str) -> bytes:
    """16 bytes that are equal for equal conversations (and equal `parts`: key, label, session), whatever their JSON looked like."""
    hashed = blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16)
    try:
        hashed.update(orjson.dumps(conversation, default=_plain, option=orjson.OPT_SORT_KEYS))
    except (TypeError, RecursionError):  # integers beyond 64 bits, surrogates, Decimals
        hashed.update(repr(conversation).encode("utf-8", "replace"))
    return hashed.digest()


def _plain(value: object) -> object:
    try:
        return dict(value)  # type: ignore[call-overload]  # a mapping proxy; anything else is a TypeError as well
    except ValueError:
        raise TypeError from None
