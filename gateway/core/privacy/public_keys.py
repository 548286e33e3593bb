"""Tells what anybody may know, though it looks random: certificates, their requests and public keys, in PEM (RFC 7468).

Law: the name that a block has proves nothing. Only what decodes, to its last byte, into the very structure of something public is.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator

_LONGEST = 12 << 10  # characters of a block
_HEAD = re.compile(
    r"-----BEGIN (?P<name>(?:X509 |TRUSTED |NEW )?(?:CERTIFICATE|CERTIFICATE REQUEST|X509 CRL|PUBLIC KEY|RSA PUBLIC KEY))-----"
)
# Beside line ends: the same escaped, quotes and marks of code, numbers of lines.
_BETWEEN = re.compile(r"\\[nrt]|(?m:^)[ \t]*\d{1,6}[\t|:\u2192]|[\s\"'`,;\\]")

_SEQUENCE, _BITS, _INTEGER = 0x30, 0x03, 0x02
# A certificate, its request, a list of revoked ones; a public key; an RSA one (RFC 5280, 2986, 8017). Private keys begin by a
# version and go on with more than one number.
_PUBLIC = ((_SEQUENCE, _SEQUENCE, _BITS), (_SEQUENCE, _BITS), (_INTEGER, _INTEGER))


def is_public(text: str, start: int, end: int) -> bool:
    """Whether the span lies within a block that holds something public, and in a word of its end at most."""
    begins = text.rfind("-----BEGIN ", max(0, start - _LONGEST), start)
    head = _HEAD.match(text, begins) if begins >= 0 else None
    if head is None or head.end() > start:
        return False
    ends = text.find(f"-----END {head['name']}-----", head.end(), head.end() + _LONGEST)
    return ends + len("-----END") >= end and _is_public(_BETWEEN.sub("", text[head.end() : ends]))


def _is_public(body: str) -> bool:
    try:
        whole = list(_elements(b64decode(body, validate=True)))
        return (
            len(whole) == 1 and whole[0][0] == _SEQUENCE and tuple(tag for tag, _ in _elements(whole[0][1])) in _PUBLIC
        )
    except (binascii.Error, ValueError, IndexError):
        return False


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of DER (X.690), each its tag and its content. Raises ValueError or IndexError for what is none."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > 0x7F:
            at, wide = at + length - 0x80, data[at : at + length - 0x80]
            length = int.from_bytes(wide)
        if at + length > len(data):
            raise ValueError("an element ends after its whole")
        yield tag, data[at : at + length]
        at += length
