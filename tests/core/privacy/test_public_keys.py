"""What is public by its structure is no secret, whatever it looks like; what only says that it is public is looked at as ever."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable
from textwrap import wrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.privacy.finding import Scan
from gateway.core.privacy.public_keys import is_public

Look = Callable[[Conversation], Scan]

DICE = random.Random(5)


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    wide = size.to_bytes(2, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else b"\x82" + wide) + content


def sequence(*inner: bytes) -> bytes:
    return element(0x30, b"".join(inner))


def number(size: int) -> bytes:
    return element(0x02, b"\x01" + DICE.randbytes(size))


BITS = element(0x03, b"\0" + DICE.randbytes(256))
ALGORITHM = sequence(element(0x06, bytes.fromhex("2a864886f70d01010b")), element(0x05, b""))
CERTIFICATE = sequence(
    sequence(element(0xA0, number(0)), number(15), ALGORITHM, element(0x04, DICE.randbytes(900))), ALGORITHM, BITS
)
PUBLIC_KEY = sequence(ALGORITHM, BITS)
RSA_PUBLIC_KEY = sequence(number(256), number(3))
PRIVATE_KEY = sequence(number(0), ALGORITHM, element(0x04, DICE.randbytes(900)))
RSA_PRIVATE_KEY = sequence(*(number(128) for _ in range(9)))


def pem(name: str, data: bytes) -> str:
    body = "\n".join(wrap(b64encode(data).decode(), 64))
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----\n"


def rules(scan: Look, text: str) -> list[str]:
    return [
        each.rule
        for each in scan(Conversation(model="m", messages=(Message(role="user", content=(Prose(text),)),))).findings
    ]


PUBLIC = {
    "a certificate": pem("CERTIFICATE", CERTIFICATE),
    "several": pem("CERTIFICATE", CERTIFICATE) + "# the next\n" + pem("CERTIFICATE", CERTIFICATE),
    "a request": pem("CERTIFICATE REQUEST", CERTIFICATE),
    "a public key": pem("PUBLIC KEY", PUBLIC_KEY),
    "an RSA public key": pem("RSA PUBLIC KEY", RSA_PUBLIC_KEY),
    "in code": "\n".join(f'    "{line}\\n"' for line in pem("CERTIFICATE", CERTIFICATE).splitlines()),
    "in JSON": json.dumps({"ca": pem("CERTIFICATE", CERTIFICATE)}),
    "with numbers of lines": "\n".join(f"{at:6}\t{line}" for at, line in enumerate(pem("CERTIFICATE", CERTIFICATE).splitlines(), 9)),
    "with carriage returns": pem("CERTIFICATE", CERTIFICATE).replace("\n", "\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_no_finding(name: str, scan: Look) -> None:
    assert rules(scan, PUBLIC[name]) == []


@pytest.mark.parametrize(
    "data",
    [PRIVATE_KEY, RSA_PRIVATE_KEY, DICE.randbytes(1000), CERTIFICATE[:-1], CERTIFICATE + b"\0" * 30, PUBLIC_KEY * 3],
)
def test_what_only_says_that_it_is_public_is_a_finding(data: bytes, scan: Look) -> None:
    assert rules(scan, pem("CERTIFICATE", data))


def test_a_private_key_beside_its_certificate_is_a_finding(scan: Look) -> None:
    assert "private-key" in rules(scan, pem("CERTIFICATE", CERTIFICATE) + pem("PRIVATE KEY", PRIVATE_KEY))
    assert "private-key" in rules(scan, pem("RSA PRIVATE KEY", RSA_PRIVATE_KEY) + pem("CERTIFICATE", CERTIFICATE))


def test_only_what_lies_within_the_block_is_public() -> None:
    text = "secret " + PUBLIC["a certificate"] + " secret"
    inside = text.index("MI") + 10
    assert is_public(text, inside, inside + 40)
    assert not is_public(text, 0, 6)
    assert not is_public(text, len(text) - 6, len(text))
    assert not is_public(text, inside, len(text))


@given(st.binary(max_size=200))
def test_anything_in_a_block_is_taken_apart(data: bytes) -> None:
    text = pem("CERTIFICATE", data)
    assert is_public(text, 28, 30) in (True, False)
