"""Checksums and forms that formats carry in themselves. A check proves a value, rules it out, or leaves it open."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from enum import Enum
from ipaddress import ip_address
from types import MappingProxyType
from zlib import crc32

import orjson


class Proof(Enum):
    """What a check says of a value."""

    PROVEN = "proven"  # chance would hardly have made it: no doubt about placeholders is heard any more
    OPEN = "open"
    WRONG = "wrong"  # it is not what the pattern takes it for


Check = Callable[[str], Proof]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NO_DIGITS = re.compile(r"\D")


def crc_token(value: str) -> Proof:
    """GitHub's tokens since 2021 and npm's: the last six characters are the CRC-32 of the thirty before, in base 62."""
    body = value.rsplit("_", 1)[-1]
    return Proof.PROVEN if len(body) == 36 and _base62(crc32(body[:-6].encode())) == body[-6:] else Proof.OPEN


def _base62(number: int) -> str:
    digits = ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits


def jwt(value: str) -> Proof:
    """A JSON Web Token (RFC 7519): its head is a JSON object with `alg`, in base64url."""
    head = value.partition(".")[0]
    try:
        found = orjson.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return Proof.OPEN
    return Proof.PROVEN if isinstance(found, dict) and "alg" in found else Proof.OPEN


def card(value: str) -> Proof:
    """A payment card: a known issuer's range and Luhn's digit (ISO/IEC 7812). The issuers' published test numbers are none."""
    digits = _NO_DIGITS.sub("", value)
    if digits in _TEST_CARDS or not _ISSUERS.fullmatch(digits) or not luhn(digits):
        return Proof.WRONG
    return Proof.OPEN


def luhn(digits: str) -> bool:
    """Whether the last of the digits is Luhn's check digit of the others."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d\d|3528|35[3-8]\d)\d{12}"
    r"|3(?:0[0-5]|[689]\d)\d{11}"
)
_TEST_CARDS = frozenset(
    [
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "4000056655665556",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "3056930009020004",
        "30569309025904",
        "38520000023237",
        "3530111333300000",
        "3566002020360505",
        "4000000000000002",
    ]
)


def iban(value: str) -> Proof:
    """An IBAN (ISO 13616): the country's length, and 1 modulo 97."""
    plain = value.replace(" ", "").replace("-", "").upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return Proof.WRONG
    number = "".join(str(int(each, 36)) for each in plain[4:] + plain[:4])
    return Proof.PROVEN if int(number) % 97 == 1 else Proof.WRONG


_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT",
        26: "IS TR", 27: "BI FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL", 29: "BR EG PS QA UA",
        30: "JO KW MU", 31: "MT SC", 32: "LC",
    }.items()
    for country in countries.split()
}  # fmt: skip


def phone(value: str) -> Proof:
    """A phone number with its country code (E.164: 8 to 15 digits), or a North American one; numbers kept for fiction are none."""
    digits = _NO_DIGITS.sub("", value)
    national = digits.removeprefix("1") if len(digits) == 11 else digits
    american = len(national) == 10 and (digits.startswith("1") or "+" not in value)
    if not 8 <= len(digits) <= 15 or len(set(digits)) < 4 or digits in "01234567890123456789":
        return Proof.WRONG
    if american and (national[3:6] == "555" or not _NANP.fullmatch(national)):
        return Proof.WRONG
    return Proof.OPEN


_NANP = re.compile(r"[2-9]\d\d[2-9]\d{6}")


def security_number(value: str) -> Proof:
    """A US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000; not the ones known from advertising."""
    area, group, serial = value.split("-")
    impossible = area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000"
    return Proof.WRONG if impossible or value in ("078-05-1120", "219-09-9999", "123-45-6789") else Proof.OPEN


def spanish_id(value: str) -> Proof:
    """A Spanish DNI or NIE: the letter is the number modulo 23."""
    number = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return Proof.PROVEN if "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1] else Proof.WRONG


def french_id(value: str) -> Proof:
    """A French social security number: the last two digits are 97 less the rest modulo 97 (2A and 2B count as 19 and 18)."""
    plain = value.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return Proof.PROVEN if 97 - int(plain[:13]) % 97 == int(plain[13:]) else Proof.WRONG


def german_tax_id(value: str) -> Proof:
    """A German tax number (IdNr): ISO 7064 MOD 11,10."""
    digits = value.replace(" ", "")
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return Proof.OPEN if (11 - product) % 10 == int(digits[10]) else Proof.WRONG


def swiss_id(value: str) -> Proof:
    """A Swiss AHV number: EAN-13, 756 first."""
    digits = [int(each) for each in _NO_DIGITS.sub("", value)]
    total = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return Proof.PROVEN if total % 10 == 0 else Proof.WRONG


def brazilian_id(value: str) -> Proof:
    """A Brazilian CPF: two check digits modulo 11."""
    digits = [int(each) for each in _NO_DIGITS.sub("", value)]
    right = all(
        sum(digit * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False)) * 10 % 11 % 10
        == digits[length]
        for length in (9, 10)
    )
    return Proof.PROVEN if right and len(set(digits)) > 1 else Proof.WRONG


def base64_text(value: str) -> Proof:
    """Base64 whose beginning reads as `name:something`: the credentials of HTTP Basic (RFC 7617)."""
    try:
        plain = urlsafe_b64decode(value.replace("+", "-").replace("/", "_") + "=" * (-len(value) % 4))
    except (ValueError, binascii.Error):
        return Proof.WRONG
    return Proof.OPEN if b":" in plain and plain.isascii() else Proof.WRONG


def address(value: str) -> Proof:
    """An address of the internet protocol, of either version: `fc:01` is the number of a device."""
    try:
        ip_address(value)
    except ValueError:
        return Proof.WRONG
    return Proof.OPEN


def blob(value: str) -> Proof:
    """Base64 or hexadecimal of bytes: a kilobyte of it has capitals or digits, where a list of words without blanks has none."""
    return Proof.WRONG if value.isalpha() and value.islower() else Proof.OPEN


def long_run(value: str) -> Proof:
    """Hexadecimal is bytes where it is longer than a checksum in it, 128 characters, and no filling; base64 is left open."""
    if not _HEXADECIMAL.fullmatch(value):
        return Proof.OPEN
    return Proof.PROVEN if len(value) >= 160 and len(set(value.lower())) >= 12 else Proof.WRONG


_HEXADECIMAL = re.compile("[0-9A-Fa-f]+")

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "crc": crc_token,
        "jwt": jwt,
        "card": card,
        "iban": iban,
        "phone": phone,
        "us-ssn": security_number,
        "es-dni": spanish_id,
        "fr-nir": french_id,
        "de-idnr": german_tax_id,
        "ch-ahv": swiss_id,
        "br-cpf": brazilian_id,
        "basic": base64_text,
        "address": address,
        "blob": blob,
        "long-run": long_run,
    }
)
