"""Scans a conversation: every leaf, every reading of it, and every place where two leaves might make one secret.

Law: what is known of a unit is kept by its digest, so that a turn costs what is new in it; what is not known is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TypeAlias, TypeVar

from gateway.core.privacy.finding import Finding, Place, Scan
from gateway.core.privacy.looking import Known, Look, finding, size_of
from gateway.core.privacy.named_paths import NamedPaths
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.seams import Joints, Lane, laned
from gateway.core.privacy.units import Unit

_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")
_Pair: TypeAlias = tuple[bytes, bytes, Lane]

_TOGETHER = 32 << 10  # characters that are looked at together
_CONVERSATIONS = 256  # whose beginnings are kept


@dataclass(frozen=True, slots=True)
class Begun:
    """What a scan of a conversation's first messages came to: the next turn begins with the same. `last` has their last by lane."""

    count: int = 0
    digest: bytes = b""
    findings: tuple[Finding, ...] = ()
    last: Mapping[Lane, tuple[int, Known]] = field(default_factory=dict)
    size: int = 0


@dataclass(slots=True)
class ScanMemo:
    """What is known of the last `most` units, of the pairs of units that met, of whole conversations, and which paths a unit names.

    Law: a memo serves one set of rules. It holds digests, kinds and paths, no content.
    """

    most: int = 20_000
    units: dict[bytes, Known] = field(default_factory=dict)
    pairs: dict[_Pair, tuple[Finding, ...]] = field(default_factory=dict)
    paths: dict[bytes, NamedPaths] = field(default_factory=dict)
    begun: dict[bytes, Begun] = field(default_factory=dict)

    def beginning(self, messages: Sequence[Unit]) -> Begun:
        """The longest beginning of these messages that was scanned before."""
        for count in range(len(messages), 0, -1):
            begun = self.begun.get(messages[count - 1].digest)
            if begun is not None and begun.count == count and begun.digest == _digest(messages[:count]):
                return begun
        return Begun()

    def trim(self) -> None:
        """Forget the longest kept, where there is more than should be."""
        _trim(self.units, self.most)
        _trim(self.pairs, 3 * self.most)
        _trim(self.paths, self.most)
        _trim(self.begun, _CONVERSATIONS)


def _trim(kept: dict[_Key, _Kept], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


def _digest(messages: Sequence[Unit]) -> bytes:
    return sha256(b"".join([unit.digest for unit in messages])).digest()


class _Late(Exception):
    """Inside this file only: the time is up."""


class _TooLong(Exception):
    """Inside this file only: there is more than may be scanned."""


@dataclass(slots=True)
class Scanner:
    """Scans with compiled rules. `limit` is in characters of one conversation, `now` gives seconds, `key` makes the marks."""

    matcher: Matcher
    memo: ScanMemo
    limit: int
    now: Callable[[], float]
    key: bytes

    def scan(self, conversation: Sequence[Unit], *, until: float) -> Scan:
        """What is in a conversation's units, as far as that can be told before `until`. Raises what the matcher raises."""
        messages = [unit for unit in conversation if unit.index >= 0]
        begun = self.memo.beginning(messages)
        walk = _Walk(self, begun, messages, until)
        try:
            walk.over(messages[begun.count :])
            if messages:
                self.memo.begun[messages[-1].digest] = walk.begun(messages)
            walk.over([unit for unit in conversation if unit.index < 0])
        except _Late:
            return Scan(findings=tuple(walk.findings), unknown="the scan did not end in time", size=walk.size)
        except _TooLong:
            unknown = f"it holds more than {self.limit} characters"
            return Scan(findings=tuple(walk.findings), unknown=unknown, size=walk.size)
        finally:
            self.memo.trim()
        return Scan(findings=tuple(walk.findings), size=walk.size)

    def known(self, unit: Unit, size: int, until: float) -> Known:
        """What is known of a unit, looked at now where nothing is; `size` is what went before it."""
        known = self.memo.units.pop(unit.digest, None)
        if size + (size_of(unit) if known is None else known.size) > self.limit:
            raise _TooLong
        self.memo.units[unit.digest] = found = known or next(self._look(until).at((unit,)))
        return found

    def learn(self, units: Sequence[Unit], size: int, until: float) -> None:
        """Look at all of these units that nothing is known of, unless that would be more than may be scanned."""
        new = [unit for unit in units if unit.digest not in self.memo.units]
        if size + sum(map(size_of, new)) <= self.limit:
            for unit, known in zip(new, self._look(until).at(new), strict=True):
                self.memo.units[unit.digest] = known

    def _look(self, until: float) -> Look:
        return Look(self.matcher, self.key, lambda: self._on_time(until))

    def _on_time(self, until: float) -> None:
        if self.now() > until:
            raise _Late


class _Walk:
    """One scan's way through the units, and the pairs of those that follow each other in some lane."""

    def __init__(self, scanner: Scanner, begun: Begun, messages: Sequence[Unit], until: float) -> None:
        self.findings = list(begun.findings)
        self.size = begun.size
        self._scanner = scanner
        self._until = until
        self._last = {lane: (messages[index], known) for lane, (index, known) in begun.last.items()}
        self._new: list[tuple[_Pair, int, int]] = []
        self._joints = Joints()

    def over(self, units: Sequence[Unit]) -> None:
        """Take these units in. What a pair says is kept only once it has been read."""
        for group in _grouped(units):
            self._scanner.learn(group, self.size, self._until)
            for unit in group:
                self._take(unit, self._scanner.known(unit, self.size, self._until))
        self._read()

    def _take(self, unit: Unit, known: Known) -> None:
        self.size += known.size
        self.findings += (replace(each, unit=unit.index) for each in known.findings)
        for lane in known.lanes:
            last = self._last.get(lane)
            self._last[lane] = unit, known
            if last is not None:
                self._meet(lane, last, (unit, known))

    def begun(self, messages: Sequence[Unit]) -> Begun:
        last = {lane: (unit.index, known) for lane, (unit, known) in self._last.items()}
        return Begun(len(messages), _digest(messages), tuple(self.findings), last, self.size)

    def _meet(self, lane: Lane, before: tuple[Unit, Known], after: tuple[Unit, Known]) -> None:
        pair = (before[0].digest, after[0].digest, lane)
        read = self._scanner.memo.pairs.get(pair)
        if read is None:
            self._new.append((pair, before[0].index, after[0].index))
            ends = laned(before[0].leaves)[lane][-1], laned(after[0].leaves)[lane][0]
            self._joints.add(*ends, before[1].rules | after[1].rules)
        elif read:
            self.findings += _in_both(read, before[0].index, after[0].index)

    def _read(self) -> None:
        read: dict[_Pair, dict[Finding, None]] = {
            pair: {} for pair, *_ in self._new
        }  # a pair may come twice  # a pair may come more than once
        for place, hit in self._joints.hits(self._scanner.matcher):
            pair = self._new[place][0]
            in_place = Place.USER if pair[2][0] == "prose" else Place(pair[2][0])
            read[pair][finding(hit, in_place, self._scanner.key)] = None
        for pair, before, after in self._new:
            self.findings += _in_both(read[pair], before, after)
        self._scanner.memo.pairs.update({pair: tuple(findings) for pair, findings in read.items()})
        self._new, self._joints = [], Joints()


def _in_both(findings: Iterable[Finding], *units: int) -> list[Finding]:
    """The findings of a pair, in either of its units."""
    return [replace(each, unit=unit, across=True) for each in findings for unit in units]


def _grouped(units: Sequence[Unit]) -> Iterator[Sequence[Unit]]:
    """The units in groups that are looked at together."""
    group: list[Unit] = []
    size = 0
    for unit in units:
        group.append(unit)
        size += len(unit.text)
        if size > _TOGETHER:
            yield group
            group, size = [], 0
    yield group
