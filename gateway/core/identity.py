"""Which requests are the same request: a hash over the neutral conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b

import orjson

from gateway.core.conversation import Conversation


def fingerprint(conversation: Conversation, *parts: str) -> bytes:
    """16 bytes that are equal for equal conversations (and equal `parts`: key, session), however their JSON was ordered or spaced."""
    hashed = blake2b(repr(parts).encode(), digest_size=16)
    try:
        hashed.update(orjson.dumps(conversation, default=_plain, option=orjson.OPT_SORT_KEYS))
    except TypeError:  # integers beyond 64 bits, Decimals
        hashed.update(json.dumps(conversation, default=_spread, sort_keys=True).encode())
    return hashed.digest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _spread(value: object) -> object:
    """What json does not know: dataclasses, mapping proxies, Decimals."""
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)
