"""The detection rules, compiled by google-re2: one pass tells which rules match, and only those look again for where.

Law: what cannot be compiled is refused as a whole, and a pass that gave up is an error; a rule is never silently left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from gateway.core.privacy.rule import Candidate, Rule

_MEMORY = 64 << 20  # bytes for the automaton of all rules; with the default of 8 MiB it gives up on long inputs


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no engine, and why; without one nothing may go to a cloud."""

    reason: str


class ScanBroken(Exception):
    """A pass gave up before its end, so that nothing is known of the text."""


class Engine:
    """Finds the candidates of all rules in a text. Holds the interpreter's lock while it does."""

    def __init__(self, re2: ModuleType, rules: Sequence[Rule]) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # the rules are ASCII, the text is UTF-8: every byte is a character
        options.max_mem = _MEMORY
        options.log_errors = False
        self._rules = tuple(rules)
        self._patterns = []
        self._set = re2.Set.SearchSet(options)
        for rule in rules:
            self._compile(re2, rule, options)
        self._canary = self._set.Add(rb"\z")
        self._set.Compile()

    def _compile(self, re2: ModuleType, rule: Rule, options: object) -> None:
        try:
            pattern = rule.pattern.encode("ascii")
            compiled = re2.compile(pattern, options)
            self._set.Add(pattern)
        except (re2.error, UnicodeEncodeError) as error:
            raise ScanBroken(f"rule {rule.id}: {error}") from None
        self._patterns.append((compiled, compiled.groupindex.get(b"value", 0)))

    def candidates(self, text: str) -> Sequence[Candidate]:
        """Every match of every rule. Raises ScanBroken."""
        data = text.encode("utf-8", "replace")
        matching = self._set.Match(data) or ()
        if self._canary not in matching:
            raise ScanBroken("google-re2 ran out of memory")
        found = []
        for place in matching:
            if place != self._canary:
                pattern, group = self._patterns[place]
                for match in pattern.finditer(data):
                    at = group if match.start(group) >= 0 else 0
                    found.append((self._rules[place], match.start(), match.end(), match.start(at), match.end(at)))
        if len(data) == len(text):
            return [Candidate(*each) for each in found]
        return _in_characters(found, data)


def _in_characters(found: Sequence[tuple[Rule, int, int, int, int]], data: bytes) -> Sequence[Candidate]:
    """The same with offsets in characters, in one walk over the bytes."""
    characters = {}
    byte = character = 0
    for offset in sorted({offset for each in found for offset in each[1:]}):
        character += len(data[byte:offset].decode("utf-8", "ignore"))
        byte = offset
        characters[offset] = character
    return [Candidate(rule, *(characters[offset] for offset in offsets)) for rule, *offsets in found]


def compiled(rules: Sequence[Rule]) -> Engine | Unusable:
    """The engine of these rules, or why there is none. Imports google-re2, which takes a few milliseconds, as does a pass per 200 KB."""
    try:
        import re2  # noqa: PLC0415 - only who turns the cloud on needs it
    except ImportError:
        return Unusable("google-re2 is not installed; install holdfast[cloud]")
    try:
        return Engine(re2, rules)
    except (ScanBroken, re2.error) as error:
        return Unusable(str(error))
