"""The detection rules, compiled by google-re2: one pass tells which rules match at all, and only those look again for where.

Law: what cannot be compiled is refused as a whole, and a pass that gave up is an error; a rule is never silently left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.core.privacy.rule import Candidate, Rule, Unusable

# With all rules in one automaton its states multiply. In sets of this size the first megabytes take two thirds of the time that
# they take in sets of 80, and later ones no more; in sets of 20 later ones take a third longer.
_TOGETHER = 40
_MEMORY = 64 << 20  # bytes for the states of a set; with the default of 8 MiB it gives up on long inputs
_WINDOW = 128 << 10  # bytes that are looked at together, so that a rule which matches looks again at these alone
_OVERLAP = 8 << 10  # bytes that two windows share: the longest secret that is found whole wherever it lies
_SHORT = 64  # bytes of a value that are looked at again for a name; that this is bounded keeps the time linear

# `x{36}` goes into a set as `x{12,}`: counting further multiplies states. The rule itself counts when it looks again.
_COUNT = re.compile(rb"\{(\d+)(?:,\d*)?\}")
_COUNTED = 12
_LINES = b"(?m:%s)"  # `^` and `$` are those of a line, so that texts may be looked at one after the other


class ScanBroken(Exception):
    """A pass gave up before its end, so that nothing is known of the text."""


class _Match(Protocol):
    def span(self, group: int = 0) -> tuple[int, int]: ...


class _Pattern(Protocol):
    groupindex: dict[bytes, int]

    def finditer(self, text: bytes, pos: int, endpos: int) -> Iterator[_Match]: ...


class _Set(Protocol):
    def Match(self, text: bytes) -> list[int] | None: ...  # noqa: N802 - google-re2's name


_Found: TypeAlias = tuple[Rule, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    pattern: _Pattern
    groups: Sequence[int]  # of which one is the value; the whole match where there is none

    def find(self, data: bytes, start: int, end: int) -> Iterator[_Found]:
        """Every match. What follows a value may belong to the next one, and so may a short value, such as `b` in `a = b = secret`."""
        while start < end:
            for match in self.pattern.finditer(data, start, end):
                first, last = match.span()
                value, after = next((span for span in map(match.span, self.groups) if span[0] >= 0), (first, last))
                yield self.rule, first, last, value, after
                if value > first and after - value <= _SHORT:
                    start = value
                    break
                if after < last:
                    start = after
                    break
            else:
                return


@dataclass(frozen=True, slots=True)
class _Together:
    """Rules whose automaton is one. The canary matches everything: where it is missing the pass ran out of memory."""

    rules: Sequence[_Compiled]
    set: _Set
    canary: int

    def matching(self, data: bytes) -> Iterator[_Compiled]:
        places = self.set.Match(data) or ()
        if self.canary not in places:
            raise ScanBroken("google-re2 ran out of memory")
        return (self.rules[place] for place in places if place != self.canary)


class Engine:
    """Finds the candidates of all rules in a text. Holds the interpreter's lock while it does."""

    def __init__(self, common: Sequence[_Compiled], sets: Sequence[_Together]) -> None:
        self._common = common
        self._sets = sets

    def candidates(self, text: str) -> Sequence[Candidate]:
        """Every match of every rule, each once. Raises ScanBroken."""
        data = text.encode("utf-8", "replace")
        found = dict.fromkeys(each for start in range(0, len(data) or 1, _WINDOW) for each in self._look(data, start))
        if len(data) == len(text):
            return [Candidate(*each) for each in found]
        return _in_characters(list(found), data)

    def _look(self, data: bytes, start: int) -> Iterator[_Found]:
        end = min(len(data), start + _WINDOW + _OVERLAP)
        window = data if end - start == len(data) else data[start:end]
        for rule in self._common:
            yield from rule.find(data, start, end)
        for together in self._sets:
            for rule in together.matching(window):
                yield from rule.find(data, start, end)


def _in_characters(found: Sequence[_Found], data: bytes) -> Sequence[Candidate]:
    """The same with offsets in characters, in one walk over the bytes."""
    characters = {}
    byte = character = 0
    for offset in sorted({offset for each in found for offset in each[1:]}):
        character += len(data[byte:offset].decode("utf-8", "ignore"))
        byte = offset
        characters[offset] = character
    return [
        Candidate(rule, characters[start], characters[end], characters[first], characters[last])
        for rule, start, end, first, last in found
    ]


def compiled(rules: Sequence[Rule]) -> Engine | Unusable:
    """The engine of these rules, or why there is none. Takes about 100 ms."""
    try:
        import re2
    except ImportError:
        return Unusable("google-re2 is not installed; install holdfast[cloud]")
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # rules are ASCII, text is UTF-8: every byte is a character
    options.max_mem = _MEMORY
    options.log_errors = False
    ready = []
    for rule in rules:
        try:
            pattern = re2.compile(_LINES % rule.pattern.encode("ascii"), options)
        except (re2.error, UnicodeEncodeError) as error:
            return Unusable(f"rule {rule.id} does not compile: {error}")
        groups = [place for name, place in pattern.groupindex.items() if name.startswith(b"value")]
        ready.append(_Compiled(rule, pattern, groups))
    rare = [each for each in ready if not each.rule.common]
    sets = []
    for first in range(0, len(rare), _TOGETHER):
        members = rare[first : first + _TOGETHER]
        together = re2.Set.SearchSet(options)
        for each in members:
            together.Add(_LINES % _COUNT.sub(_counted_less, each.rule.pattern.encode()))
        canary = together.Add(rb"\z")
        together.Compile()
        sets.append(_Together(members, together, canary))
    return Engine([each for each in ready if each.rule.common], sets)


def _counted_less(count: re.Match[bytes]) -> bytes:
    least = min(int(count[1]), _COUNTED)
    return b"{%d,}" % least if least else b"*"
