"""Scans a conversation: every leaf, every reading of it, and every place where two leaves might make one secret.

Law: what is known of a unit is kept by its digest, so that a turn costs what is new in it; what is not known is said to be unknown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True)
class Known:
    """What a scan of a unit found, its findings as if it were unit 0."""

    findings: tuple[Finding, ...]
    rules: frozenset[str]
    lanes: tuple[Lane, ...]
    size: int


@dataclass(slots=True)
class ScanMemo:
    """What is known of the last `most` units, of the pairs of units that met, and which paths each names.

    Law: a memo serves one set of rules. It holds digests, kinds and paths, no content.
    """

    most: int = 20_000
    units: dict[bytes, Known] = field(default_factory=dict)
    pairs: dict[_Pair, tuple[Finding, ...]] = field(default_factory=dict)
    paths: dict[bytes, NamedPaths] = field(default_factory=dict)

    def trim(self) -> None:
        """Forget the longest kept, where there is more than should be."""
        _trim(self.units, self.most)
        _trim(self.pairs, 3 * self.most)
        _trim(self.paths, self.most)


def _trim(kept: dict[_Key, _Kept], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


class _Late(Exception):
    """Inside this file only: the time is up."""


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
        findings: list[Finding] = []
        met = _Met(self.memo, self.key)
        size = 0
        try:
            for unit in conversation:
                known = self.memo.units.pop(unit.digest, None)
                if known is None:
                    if size + _size(unit) > self.limit:
                        unknown = f"it holds more than {self.limit} characters"
                        return Scan(findings=tuple(findings), unknown=unknown, size=size)
                    known = self._look(unit, until)
                self.memo.units[unit.digest] = known
                size += known.size
                if known.findings:
                    findings += (replace(each, unit=unit.index) for each in known.findings)
                met.meet(unit, known)
            findings += met.findings(self.matcher)
        except _Late:
            return Scan(findings=tuple(findings), unknown="the scan did not end in time", size=size)
        finally:
            self.memo.trim()
        return Scan(findings=tuple(findings), size=size)

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


class _Met:
    """The pairs of units that follow each other in some lane. What a pair says is kept only once it has been read."""

    def __init__(self, memo: ScanMemo, key: bytes) -> None:
        self._known = memo.pairs
        self._key = key
        self._last: dict[Lane, tuple[Unit, Known]] = {}
        self._found: list[Finding] = []
        self._new: list[tuple[_Pair, int, int]] = []
        self._joints = Joints()

    def meet(self, unit: Unit, known: Known) -> None:
        for lane in known.lanes:
            last = self._last.get(lane)
            self._last[lane] = unit, known
            if last is None:
                continue
            before, of_before = last
            pair = (before.digest, unit.digest, lane)
            read = self._known.get(pair)
            if read is None:
                self._new.append((pair, before.index, unit.index))
                rules = of_before.rules | known.rules
                self._joints.add(laned(before.leaves)[lane][-1], laned(unit.leaves)[lane][0], rules)
            elif read:
                self._found += _in_both(read, before.index, unit.index)

    def findings(self, matcher: Matcher) -> list[Finding]:
        read: dict[_Pair, list[Finding]] = {pair: [] for pair, *_ in self._new}
        for place, hit in self._joints.hits(matcher):
            pair, before, after = self._new[place]
            read[pair].append(_finding(hit, Place.USER if pair[2][0] == "prose" else Place(pair[2][0]), self._key))
            self._found += _in_both(read[pair][-1:], before, after)
        self._known.update({pair: tuple(findings) for pair, findings in read.items()})
        return self._found


def _in_both(findings: Iterable[Finding], *units: int) -> list[Finding]:
    """The findings of a pair, in either of its units."""
    return [replace(each, unit=unit) for each in findings for unit in units]
