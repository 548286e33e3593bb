"""The token that stands for a secret in what leaves: an identifier that says nothing and is the same for the same value, turn after turn."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import blake2b

HEAD = "WITHHELD_"  # no word of it says `key` or `secret`, so that no rule takes what follows for the value of one
BODY = 12  # characters of 5 bits: two secrets of one house share them once in 10^18 times
LENGTH = len(HEAD) + BODY
BODY_CLASS = "0-9A-V"  # without HEAD's first letter: where one placeholder begins, no other can still be going on
OURS = re.compile(f"{HEAD}[{BODY_CLASS}]{{{BODY}}}")

_FROM_BASE32 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")


def placeholder(value: str, key: bytes) -> str:
    """The placeholder of a value: a keyed hash, so that who sees it can't try out values."""
    made = blake2b(value.encode("utf-8", "surrogatepass"), key=key, digest_size=10).digest()
    return HEAD + b32encode(made).decode("ascii").translate(_FROM_BASE32)[:BODY]
