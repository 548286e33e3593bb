"""The judge of `name = "value"`: whether the name says that this is a secret, and the value looks like one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.privacy.machine_made import hexadecimal, mixed, random, uuid
from gateway.core.privacy.rule import Candidate

# Names that hold a word such as `key` and are no secrets: what is public, what only points to one, what is about one.
_HARMLESS = re.compile(
    r"[\w-]*public[\w-]*|[\w-]*pub[_-]?key[\w-]*"
    r"|[\w-]*(?:hash|digest|checksum|sha\d+|md5|crc|etag|integrity|fingerprint|thumbprint|revision|commit)[\w-]*"
    r"|[\w-]*(?:csrf|xsrf|nonce|captcha|site[_-]?key)[\w-]*"
    r"|(?:primary|foreign|partition|sort|cache|row|bucket|i18n|idempotency)[_-]?key"
    r"|key(?:word|board|stroke|frame|code|press|down|up|pad|note|hole|ring|store|tab|map|pair|space|chain|less|ed\b|ing\b)s?"
    r"|(?:key|token|secret|credentials?|password|auth|access|private|api|session)[_-]?(?:id|name|type|kind|size|len|length|count|index|file"
    r"|path|url|uri|endpoint|alg|algorithm|usage|format|version|field|label|prefix|suffix|expiry|expires|ttl|ref|arn|regex|pattern|class"
    r"|vault|ops)s?(?![a-z])"
    r"|monkey|turkey|hockey|donkey|jockey|whiskey|author(?!iz|is)[a-z]*|authority|access(?:or|ib|ed|ing|ory)\w*|tokeni[sz]\w*|secretar\w*"
    r"|compass\w*|bypass\w*|pass(?:ed|es|ing|ive|age|engers?)|private\w*(?:address|network|subnet|ip)\b|login_?(?:url|page|form)",
    re.IGNORECASE,
)
_WORD = (
    r"key|token|tkn|secret|pass|pwd|cred|auth|bearer|access|private|sess|sid\b|\bpat\b|client.?id|app.?id|api|salt|webhook|licen[cs]e|login"
)
_NAMES_ONE = re.compile(_WORD, re.IGNORECASE)
_STRONG = re.compile(r"secret|token|tkn|passw|pwd|passphrase|passcode|api[_ .-]?key|private|access|cred|bearer|auth|\bpat\b", re.IGNORECASE)
_ASSIGNS = re.compile(r"[=:>]|['\"`]\s*,\s*['\"`]")
_IDENTIFIER_BEFORE = re.compile(r"[\w.-]*\Z")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value, the name it is given to, and what stands between the two."""

    name: str
    between: str
    value: str


def found(candidate: Candidate, text: str) -> Assignment:
    """The assignment of a candidate, its name completed to the left: rules match from the telling word on."""
    before = _IDENTIFIER_BEFORE.search(text, max(0, candidate.start - _LONGEST_NAME), candidate.start)
    start = before.start() if before else candidate.start
    said = text[start : candidate.value_start]
    end = next((place for place in range(candidate.start - start, len(said)) if not (said[place].isalnum() or said[place] in "_-")), len(said))
    return Assignment(said[:end], said[end:], text[candidate.value_start : candidate.value_end])


def is_secret(said: Assignment) -> bool:
    """Whether the value is a secret, by all that can be seen."""
    name = _HARMLESS.sub(" ", f"{said.name} {said.between}")
    if not _NAMES_ONE.search(name):
        return False
    strong = _STRONG.search(name) is not None
    assigns = _ASSIGNS.search(said.between) is not None
    if uuid(said.value):
        return strong or assigns
    return mixed(said.value.rstrip(".~!?"), bits=3.0 if strong and assigns else 5.0 if strong or assigns else 7.0)


def is_vendors(said: Assignment) -> bool:
    """The same where the name is only a service's: the value must be hexadecimal, a UUID or plainly random."""
    if _HARMLESS.search(said.name) or not _ASSIGNS.search(said.between):
        return False
    return uuid(said.value) or hexadecimal(said.value) or random(said.value)
