"""What a scan finds and how far it got. A finding says what kind of thing lies where, never what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b


class Place(StrEnum):
    """Where in a conversation a text stands."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    RESULT = "tool result"
    THOUGHT = "thought"
    ARGUMENTS = "tool arguments"
    TOOL = "tool description"
    NAME = "name"
    ID = "id"
    EXTRA = "metadata"
    PROMPT = "prompt"
    IMAGE = "image"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must not leave. `start` and `end` are characters of its unit's text; `exact` says that they are its very span.

    `unit` is the index of the message, or one of the negative numbers of units.py; `mark` the keyed hash of the value; `across`
    says that it takes two units to say it, of which this is one.
    """

    rule: str
    kind: str
    place: Place
    mark: str
    unit: int = 0
    start: int = 0
    end: int = 0
    exact: bool = False
    across: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What is known of a conversation. Where `unknown` says why, the scan did not get to its end and nothing may leave."""

    findings: tuple[Finding, ...] = ()
    unknown: str = ""
    size: int = 0


def counted(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many findings each rule has."""
    return dict(Counter(each.rule for each in findings))


def hashed(value: str, key: bytes) -> str:
    """The keyed hash of a value: the same for the same value, and nobody without the key can try out short ones."""
    return blake2b(value.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()
