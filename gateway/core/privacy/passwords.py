"""The judge of values in the place of a password: chosen by people, so neither long nor random; what types and examples look like is none."""

from __future__ import annotations

import re

from gateway.core.privacy.machine_made import mixed
from gateway.core.privacy.strangeness import strangeness

# What a field is called, what a type is, and what everybody writes where a password would stand.
_WORDS = re.compile(
    r"password|passwd|passwort|pass|pwd|secret|token|user|username|login|name|value|string|text|none|null|true|false|required|optional"
    r"|hidden|empty|invalid|wrong|missing|default|unknown|test|testing|tests|foo|bar|baz|foobar|root|admin|administrator|guest|anonymous"
    r"|postgres|mysql|mongodb|redis|rabbitmq|oracle|elastic|minio|localhost|hostname|host|port|database|db|input|field|type"
    r"|confirm|confirmation|new|old|current|reset|forgot|change|prompt|str|int|bool|bytes|object|any|undefined",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"[\w.]+\(|self\b|this\b|\w+\.\w+\.\w+|\w+\[|.*(?:=>|->|==|!=|::|\|\||&&|\?\?)|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z|[a-z]+(?:_[a-z]+)+\Z"
    r"|[a-z]+(?:-[a-z]+)+\Z|[a-z]+(?:\.[A-Za-z_]+)+\Z|/|\\|#|\.|,|:|%s|%d|\d+\Z"
)
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")  # `base64.b64decode`, where no quotes close it
_STRANGE = 2.5  # bits from which on letters alone are no word
_LETTERS = re.compile(r"[A-Za-z]+")
_SENTENCE = re.compile(r"\S+ \S+")


def is_password(value: str, *, closed: bool) -> bool:
    """Whether the value may be somebody's password. Where quotes or an address close it, a little less is enough."""
    plain = value.strip().rstrip(".,;:")
    if _WORDS.fullmatch(plain) or len(plain) < 4 or _CODE.match(plain):
        return False
    if _LETTERS.fullmatch(plain):
        return (closed and len(plain) >= 6) or strangeness(plain) > _STRANGE
    if _SENTENCE.match(plain) or (not closed and _ATTRIBUTE.fullmatch(plain)):
        return False
    return closed or mixed(plain, bits=0.0) or _kinds(plain) >= 3 or (len(plain) >= 8 and plain.isalnum())


def _kinds(value: str) -> int:
    """How many of lower case, upper case, digits and symbols it holds."""
    return sum(
        (
            any(map(str.islower, value)),
            any(map(str.isupper, value)),
            any(map(str.isdigit, value)),
            not value.isalnum(),
        )
    )
