"""The detection rules, compiled by google-re2: passes over a text tell which rules may match at all, and only those look for where.

Law: what cannot be compiled is refused as a whole, and a pass that gave up is an error; a rule is never silently left out.
Most rules need a word that few texts hold, such as `ghp_`: one pass asks for all these words. The others are asked in sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.core.privacy.rule import Candidate, Rule, Unusable

# With all rules in one automaton its states multiply, less so where they begin alike. In smaller sets later megabytes take longer,
# in larger ones the first.
_TOGETHER = 20
_MEMORY = 64 << 20  # bytes for the states of a set; with the default of 8 MiB it gives up on long inputs
_WINDOW = 128 << 10  # bytes that are looked at together, so that a rule which matches looks again at these alone
_OVERLAP = 8 << 10  # bytes that two windows share: the longest secret that is found whole wherever it lies
_SHORT = 64  # bytes of a value that are looked at again for a name; that this is bounded keeps the time linear

# `x{36}` goes into a set as `x{12,}`, `(…){40,}` as `(…){4,}`: counting further multiplies states. The rule itself counts when it
# looks again.
_COUNT = re.compile(rb"(\)?)\{(\d+)(?:,\d*)?\}")
_COUNTED = 12
_COUNTED_GROUPS = 4
_LINES = b"(?m:%s)"  # `^` and `$` are those of a line, so that texts may be looked at one after the other

# Words that most code holds. A rule that asks for no more, as far as the filter can tell, may match in most texts: the filter
# has no word boundaries and no case, so that `AgE` is in every `page`.
_EVERYWHERE = (
    b"page compat mdax dose re_ st. ion_ live_ test_ web_ server_ key_ sc_ ext_ secret_ private_key: access key = account password "
    b"confidential auth_ authorization login api-key bearer basic basic_auth priv_key aws secret key host= database; user@ <pass> "
    b"(name.local: http://name.internal/ https://user:pass@host.int.com/1 wg_private_key net user enable key-string"
)
_BYTES = re.compile(r"\\x[89A-Fa-f]")  # parts of a letter that is not ASCII: a filter takes whole letters only
_CANARY = b"\0canary\0"  # goes through the filter with every text: where it is not seen, the pass ran out of memory


class ScanBroken(Exception):
    """A pass gave up before its end, so that nothing is known of the text."""


class _Match(Protocol):
    def span(self, group: int = 0) -> tuple[int, int]: ...


class _Pattern(Protocol):
    groupindex: dict[bytes, int]

    def finditer(self, text: bytes, pos: int, endpos: int) -> Iterator[_Match]: ...


class _Set(Protocol):
    def Match(self, text: bytes) -> list[int] | None: ...  # noqa: N802 - google-re2's name


class _Words(Protocol):
    def Match(self, text: bytes, potential: bool) -> list[int] | None: ...  # noqa: N802 - google-re2's name


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
class Together:
    """Rules whose automaton is one. The canary matches everything: where it is missing the pass ran out of memory."""

    rules: Sequence[_Compiled]
    set: _Set
    canary: int

    def matching(self, data: bytes) -> Iterator[_Compiled]:
        places = self.set.Match(data) or ()
        if self.canary not in places:
            raise ScanBroken("google-re2 ran out of memory")
        return (self.rules[place] for place in places if place != self.canary)


@dataclass(frozen=True, slots=True)
class Worded:
    """Rules that have words of their own, in the order in which a filter knows them; it knows the canary as the last."""

    rules: Sequence[_Compiled]
    words: _Words

    def matching(self, data: bytes) -> Iterator[_Compiled]:
        places = self.words.Match(data + _CANARY, potential=True) or ()
        if len(self.rules) not in places:
            raise ScanBroken("google-re2 ran out of memory")
        return (self.rules[place] for place in places if place < len(self.rules))


class Engine:
    """Finds the candidates of all rules in a text. Holds the interpreter's lock while it does."""

    def __init__(self, common: Sequence[_Compiled], some: Sequence[Together | Worded]) -> None:
        self._common = common
        self._some = some

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
        for some in self._some:
            for rule in some.matching(window):
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
    """The engine of these rules, or why there is none. Takes about 200 ms."""
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
    rare = sorted((each for each in ready if not each.rule.common), key=lambda each: each.rule.pattern)
    askable = [each for each in rare if not _BYTES.search(each.rule.pattern)]
    everywhere = _worded(askable, options).matching(_EVERYWHERE)
    told = {each.rule.id for each in askable} - {each.rule.id for each in everywhere}
    often = [each for each in rare if each.rule.id not in told]
    sets = [_together(often[first : first + _TOGETHER], options) for first in range(0, len(often), _TOGETHER)]
    worded = _worded([each for each in rare if each.rule.id in told], options)
    return Engine([each for each in ready if each.rule.common], [*sets, worded])


def _worded(rules: Sequence[_Compiled], options: object) -> Worded:
    import re2

    words = re2.Filter()
    for each in rules:
        words.Add(_LINES % each.rule.pattern.encode(), options)
    words.Add(_CANARY, options)
    words.Compile()
    return Worded(rules, words)


def _together(rules: Sequence[_Compiled], options: object) -> Together:
    import re2

    together = re2.Set.SearchSet(options)
    for each in rules:
        together.Add(_LINES % _COUNT.sub(_counted_less, each.rule.pattern.encode()))
    canary = together.Add(rb"\z")
    together.Compile()
    return Together(rules, together, canary)


def _counted_less(count: re.Match[bytes]) -> bytes:
    least = min(int(count[2]), _COUNTED_GROUPS if count[1] else _COUNTED)
    return count[1] + (b"{%d,}" % least if least else b"*")
