"""The judge of `name = "value"`: whether the name says that this is a secret, and the value looks like one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.privacy.strangeness import strangeness

# Names that hold a word such as `key` and are no secrets: what is public, what only points to one, what is about one.
_HARMLESS = re.compile(
    r"public|pub[_-]?key|(?:hash|digest|checksum|sha\d+|md5|crc|etag|integrity|fingerprint|thumbprint|revision|commit)"
    r"|csrf|xsrf|nonce|captcha|site[_-]?key|(?:primary|foreign|partition|sort|cache|row|bucket|i18n|idempotency)[_-]?key"
    r"|key(?:word|board|stroke|frame|code|press|down|up|pad|note|hole|ring|store|tab|map|pair|space|chain|less|ed\b|ing\b)"
    r"|(?:key|token|secret|credentials?|password|auth|access)[_-]?(?:id|ids|name|names|type|types|kind|size|len|length|count|index|file|path|url|uri"
    r"|endpoint|alg|algorithm|usage|format|version|field|label|prefix|suffix|expiry|expires|ttl|ref|arn|regex|pattern|class|vault|ops)s?(?![a-z])"
    r"|monkey|turkey|hockey|donkey|jockey|whiskey|author(?!iz|is)|authority|access(?:or|ib|ed|ing|ory)|tokeni[sz]|secretar"
    r"|compass|bypass|passed|passes|passing|passive|passag|accessory|private\w*(?:address|network|subnet|ip)\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"secret|token|passw|passwd|pwd|passphrase|passcode|api[_ .-]?key|private|access|credential|bearer|auth|cred|\bpat\b",
    re.IGNORECASE,
)
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{16,}")
_UUID = re.compile(r"[0-9a-zA-Z]{8}(?:-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}")
_ASSIGNS = re.compile(r"[=:>]|['\"`]\s*,\s*['\"`]")
_PLAIN = re.compile(r"[0-9A-Za-z_+/=-]+")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value and what it is given to: `between` is what stands between the two."""

    name: str
    between: str
    value: str
    quoted: bool


def is_secret(said: Assignment) -> bool:
    """Whether the value is a secret, by all that can be seen."""
    if _HARMLESS.search(said.name):
        return False
    strong = _STRONG.search(said.name) is not None
    assigns = _ASSIGNS.search(said.between) is not None
    return _made_by_machine(
        said.value, bits=4.0 if strong and assigns else 7.0 if strong or assigns else 9.0, loose=strong or assigns
    )


def _made_by_machine(value: str, *, bits: float, loose: bool) -> bool:
    if _UUID.fullmatch(value):
        return loose
    if _HEX.fullmatch(value):
        return _digits(value) > 0 and len(set(value)) > 4
    if strangeness(value) >= bits:
        return True
    return loose and _numbered(value)


def _numbered(value: str) -> bool:
    """Letters and digits in one, too many of each for a name with a version or a date in it."""
    digits = _digits(value)
    letters = sum(map(str.isalpha, value))
    return digits >= 4 and letters >= 4 and digits + letters >= 14 and _PLAIN.fullmatch(value) is not None


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value))
