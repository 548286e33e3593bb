"""Checksums prove, rule out, or leave open."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.privacy.checks import CHECKS, Proof, luhn

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def signed(body: str) -> str:
    """A GitHub or npm token's body with its checksum."""
    number, digits = crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return body + digits


@given(st.text(BASE62, min_size=30, max_size=30))
def test_a_token_with_its_checksum_is_proven_and_without_it_open(body: str) -> None:
    token = "ghp_" + signed(body)
    assert CHECKS["crc"](token) is Proof.PROVEN
    last = "a" if token[-1] != "a" else "b"
    assert CHECKS["crc"](token[:-1] + last) is Proof.OPEN


@pytest.mark.parametrize(
    ("check", "value", "proof"),
    [
        ("address", "fd12:3456:789a::17", Proof.OPEN),
        ("address", "10.1.2.3", Proof.OPEN),
        ("address", "fc:01", Proof.WRONG),
        ("long-run", "QUJD" * 30, Proof.OPEN),
        ("long-run", "0123456789abcdef" * 10, Proof.PROVEN),
        ("long-run", "0123456789abcdef" * 8, Proof.WRONG),
        ("long-run", "00ff" * 50, Proof.WRONG),
        ("blob", "QUJD" * 300, Proof.OPEN),
        ("blob", "A" * 1200, Proof.OPEN),
        ("blob", "deadbeef01" * 120, Proof.OPEN),
        ("blob", "\n".join(["A" * 64] * 40 + ["A" * 12]), Proof.OPEN),
        ("blob", "acead" * 240, Proof.WRONG),
        ("jwt", "eyJhbGciOiJub25lIn0.e30.", Proof.PROVEN),
        ("jwt", "eyJub3RoaW5nIjoxfQ.e30.", Proof.OPEN),
        ("jwt", "eyJ\u00e9.e30.", Proof.OPEN),
        ("card", "4539 1488 0343 6467", Proof.OPEN),
        ("card", "4539 1488 0343 6468", Proof.WRONG),
        ("card", "4242 4242 4242 4242", Proof.WRONG),
        ("card", "9999 1488 0343 6467", Proof.WRONG),
        ("iban", "GB82 WEST 1234 5698 7654 32", Proof.PROVEN),
        ("iban", "GB82 WEST 1234 5698 7654 33", Proof.WRONG),
        ("iban", "GB82 WEST 1234 5698 7654", Proof.WRONG),
        ("iban", "QQ82 WEST 1234 5698 7654 32", Proof.WRONG),
        ("phone", "+49 30 901820", Proof.OPEN),
        ("phone", "(212) 736-5000", Proof.OPEN),
        ("phone", "(212) 555-0123", Proof.WRONG),
        ("phone", "112-736-5000", Proof.WRONG),
        ("phone", "+1111111111", Proof.WRONG),
        ("us-ssn", "536-22-1878", Proof.OPEN),
        ("us-ssn", "000-22-1878", Proof.WRONG),
        ("us-ssn", "078-05-1120", Proof.WRONG),
        ("es-dni", "12345678Z", Proof.PROVEN),
        ("es-dni", "12345678A", Proof.WRONG),
        ("es-dni", "X1234567L", Proof.PROVEN),
        ("fr-nir", "2 55 08 14 168 025 38", Proof.PROVEN),
        ("fr-nir", "2 55 08 14 168 025 39", Proof.WRONG),
        ("de-idnr", "86095742719", Proof.OPEN),
        ("de-idnr", "86095742718", Proof.WRONG),
        ("ch-ahv", "756.9217.0769.85", Proof.PROVEN),
        ("ch-ahv", "756.9217.0769.86", Proof.WRONG),
        ("br-cpf", "529.982.247-25", Proof.PROVEN),
        ("br-cpf", "529.982.247-26", Proof.WRONG),
        ("br-cpf", "111.111.111-11", Proof.WRONG),
        ("basic", "dXNlcjpodW50ZXIy", Proof.OPEN),
        ("basic", "authentication", Proof.WRONG),
    ],
)
def test_checks(check: str, value: str, proof: Proof) -> None:
    assert CHECKS[check](value) is proof


@given(st.text("0123456789", min_size=12, max_size=18))
def test_exactly_one_digit_completes_a_number_for_luhn(body: str) -> None:
    assert sum(luhn(body + digit) for digit in "0123456789") == 1
