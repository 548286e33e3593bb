"""The token that stands for a secret in what leaves: an identifier that says nothing and is the same for the same value, turn after turn."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import blake2b

HEAD = "HELD_SECRET_"
BODY = 12  # characters of base 32: two secrets of one house share them once in 10^18 times
LENGTH = len(HEAD) + BODY
OURS = re.compile(rf"{HEAD}[A-Z2-7]{{{BODY}}}")


def placeholder(value: str, key: bytes) -> str:
    """The placeholder of a value: a keyed hash, so that who sees it can't try out values."""
    hashed = blake2b(value.encode("utf-8", "surrogatepass"), key=key, digest_size=10).digest()
    return HEAD + b32encode(hashed).decode("ascii")[:BODY]
