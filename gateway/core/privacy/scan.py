"""Scans a conversation: every leaf, every reading of it, and every place where two leaves might make one secret.

Law: what is known of a unit is kept by its digest, so that a turn costs what is new in it; what is not known is said to be unknown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import TypeAlias, TypeVar

from gateway.core.conversation import Image
from gateway.core.privacy.finding import Finding, Place, Scan, hashed
from gateway.core.privacy.named_paths import NamedPaths
from gateway.core.privacy.reading import Hit, hits
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.seams import Joints, Lane, laned
from gateway.core.privacy.units import BREAK, Unit

_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")
_Pair: TypeAlias = tuple[bytes, bytes, Lane]

_CONVERSATIONS = 256  # whose beginnings are kept


@dataclass(frozen=True, slots=True)
class Known:
    """What a scan of a unit found, its findings as if it were unit 0."""

    findings: tuple[Finding, ...]
    rules: frozenset[str]
    lanes: tuple[Lane, ...]
    size: int


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
        if size + (_size(unit) if known is None else known.size) > self.limit:
            raise _TooLong
        self.memo.units[unit.digest] = found = known or self._look(unit, until)
        return found

    def _look(self, unit: Unit, until: float) -> Known:
        by_lane = laned(unit.leaves)
        findings = [_picture(image, self.key) for image in unit.images]
        found = hits(unit.text, self.matcher, on_time=lambda: self._on_time(until))
        findings += (_finding(hit, place, self.key) for hit, place in _placed(found, unit))
        joints = Joints()
        for before, after in (pair for leaves in by_lane.values() for pair in pairwise(leaves)):
            joints.add(before, after, frozenset(each.rule for each in findings))
        findings += (_finding(hit, unit.leaves[0].place, self.key) for _, hit in joints.hits(self.matcher))
        return Known(tuple(findings), frozenset(each.rule for each in findings), tuple(by_lane), _size(unit))

    def _on_time(self, until: float) -> None:
        if self.now() > until:
            raise _Late


def _size(unit: Unit) -> int:
    return len(unit.text) + sum(len(image.data) for image in unit.images)


def _placed(found: Iterator[Hit], unit: Unit) -> Iterator[tuple[Hit, Place]]:
    """The hits in a unit's text, each with the place of the leaf that holds it; of another reading, the longest leaf's."""
    leaves = unit.leaves
    starts = list(accumulate((len(leaf.said) + len(BREAK) for leaf in leaves), initial=0))
    main = max(leaves, key=lambda leaf: len(leaf.text)).place if leaves else Place.EXTRA
    for hit in found:
        place = leaves[bisect_right(starts, hit.start) - 1].place if hit.exact else main
        if place is not Place.ID or hit.rule.judge == "token":  # ids are random by nature
            yield hit, place


def _finding(hit: Hit, place: Place, key: bytes) -> Finding:
    return Finding(
        rule=hit.rule.id,
        kind=hit.rule.kind,
        place=place,
        mark=hashed(hit.value, key),
        start=hit.start,
        end=hit.end,
        exact=hit.exact,
    )


def _picture(image: Image, key: bytes) -> Finding:
    return Finding(rule="image", kind="opaque", place=Place.IMAGE, mark=hashed(image.data, key))


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
        for unit in units:
            known = self._scanner.known(unit, self.size, self._until)
            self.size += known.size
            self.findings += (replace(each, unit=unit.index) for each in known.findings)
            for lane in known.lanes:
                last = self._last.get(lane)
                self._last[lane] = unit, known
                if last is not None:
                    self._meet(lane, last, (unit, known))
        self._read()

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
        read: dict[_Pair, list[Finding]] = {pair: [] for pair, *_ in self._new}
        for place, hit in self._joints.hits(self._scanner.matcher):
            pair, before, after = self._new[place]
            in_place = Place.USER if pair[2][0] == "prose" else Place(pair[2][0])
            read[pair].append(_finding(hit, in_place, self._scanner.key))
            self.findings += _in_both(read[pair][-1:], before, after)
        self._scanner.memo.pairs.update({pair: tuple(findings) for pair, findings in read.items()})
        self._new, self._joints = [], Joints()


def _in_both(findings: Iterable[Finding], *units: int) -> list[Finding]:
    """The findings of a pair, in either of its units."""
    return [replace(each, unit=unit) for each in findings for unit in units]
