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
_NAMES_ONE = re.compile(
    r"key|token|tkn|secret|pass|pwd|cred|auth|bearer|access|private|sess|sid\b|(?:\b|_)pat\b|client.?id|app.?id|api|salt|webhook|licen[cs]e|login",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"secret|token|tkn|passw|pwd|passphrase|passcode|api[_ .-]?key|private|access|cred|bearer|auth|(?:\b|_)pat\b",
    re.IGNORECASE,
)
_ASSIGNS = re.compile(r"[=:>]|['\"`]\s*,\s*['\"`]")
_IDENTIFIER_BEFORE = re.compile(r"(?:[\w.-]|::)*\Z")
_NAME = re.compile(r"[\w-]*")
_LONGEST_NAME = 40
_BITS = (3.0, 5.0, 7.0)  # of strangeness that convict: name and form both say so, one of them, neither
_TRAILS = ".~!?"
_TYPE = re.compile(r"['\"]AWS::(?:\w+::)*\w*\Z")  # only a cloud's own: in Puppet's data such names are given passwords
# What makes a name look counted out without being chance: algorithms, formats, widths, standards; and a decimal number.
_TERM = re.compile(
    r"pkcs\d{1,2}|x509(?:v3)?|(?:x|ed)25519|sha(?:1|2|3|224|256|384|512)|md5|aes_?(?:128|192|256)|rsa_?(?:1024|2048|3072|4096)|poly1305"
    r"|x?chacha20|secp?\d{3}[kr]1|p(?:224|256|384|521)(?:[kr]1)?|https?|http[123]|ip_?v[46]|icmpv[46]|u?int(?:8|16|32|64|128)"
    r"|float(?:16|32|64)|wow64|win(?:32|64)|x86_?64|amd64|arm64|base(?:32|58|64)|utf_?(?:8|16|32)|rfc\d{3,5}|iso\d{3,5}|(?:512|768|1024|2048|3072|4096)(?!\d)|\A\d+\.\d+\Z",
    re.IGNORECASE,
)
# Between a name and what is not given to it: inside base64, a path of names, an import, a list, the call of a function.
_APART = re.compile(r"[/+]\Z|::[A-Za-z]|\b(?:import|from|class|def|func|extends|new|return|register)\b|->|,\s*\n|\(\Z")
_FILE = re.compile(
    r"\.(?:svg|png|jpe?g|gif|ico|webp|js|mjs|cjs|css|map|woff2?|ttf|json|ya?ml|toml|html?|md|rst|txt|tgz|zip|gz|whl|jar|py|go|tsx?|java|rs|c|h)\Z"
)
_DIGEST = re.compile(
    r"(?:sha\d+|md5|h1)[-:_]|[0-9a-z]+(?:[-_][0-9a-z]+)*[-_](?:sha|md5|aes|rsa|gcm|cbc)[-_]?\d*\Z", re.IGNORECASE
)


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
    name = _NAME.match(said, candidate.start - start)
    end = name.end() if name else len(said)
    return Assignment(said[:end], said[end:], text[candidate.value_start : candidate.value_end])


def likely(value: str) -> bool:
    """Whether the value may be a secret under any name: what most values fail, asked before the name is looked at."""
    return mixed(value.rstrip(_TRAILS), bits=_BITS[0])


def names_type(candidate: Candidate, text: str) -> bool:
    """Whether the name is a type's in quotes, such as `"AWS::AppSync::ApiKey": …`, which is given no secret."""
    return _TYPE.search(text, max(0, candidate.start - _LONGEST_NAME), candidate.start) is not None


def is_secret(said: Assignment) -> bool:
    """Whether the value is a secret, by all that can be seen."""
    name = _HARMLESS.sub(" ", said.name + said.between)
    if not _NAMES_ONE.search(name) or _is_apart(said):
        return False
    strong = _STRONG.search(name) is not None
    assigns = _ASSIGNS.search(said.between) is not None
    if uuid(said.value):
        return strong or assigns
    enough = _BITS[2 - strong - assigns]
    value = said.value.rstrip(_TRAILS)
    return mixed(value, bits=enough) and mixed(_TERM.sub("_", value), bits=enough)


def is_vendors(said: Assignment) -> bool:
    """The same where the name is only a service's: the value must be hexadecimal, a UUID or plainly random."""
    if _HARMLESS.search(said.name) or not _ASSIGNS.search(said.between) or _is_apart(said):
        return False
    return uuid(said.value) or hexadecimal(said.value) or random(said.value)


def _is_apart(said: Assignment) -> bool:
    """Whether the name has nothing to do with the value, or the value is a digest, an algorithm or a file."""
    named_type = said.name.startswith("AWS::") and said.between.startswith(("'", '"'))
    return bool(named_type or _APART.search(said.between) or _DIGEST.match(said.value) or _FILE.search(said.value))
