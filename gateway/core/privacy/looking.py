"""What the rules find in units: in their leaves, in other readings of these, and where two leaves might make one secret.

Law: one look at several units together may only prove that there is nothing in any of them; what is found is found in one alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from gateway.core.conversation import Image
from gateway.core.privacy.finding import Finding, Place, hashed
from gateway.core.privacy.reading import Hit, hits
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.seams import Joints, Lane, laned
from gateway.core.privacy.units import BREAK, Unit


@dataclass(frozen=True, slots=True)
class Known:
    """What a scan of a unit found, its findings as if it were unit 0."""

    findings: tuple[Finding, ...]
    rules: frozenset[str]
    lanes: tuple[Lane, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Look:
    """Looks with compiled rules. `key` makes the marks, `on_time` raises when it is late."""

    matcher: Matcher
    key: bytes
    on_time: Callable[[], None]

    def at(self, units: Sequence[Unit]) -> Iterator[Known]:
        """What is in each of the units. Most hold nothing, and then a look at all of them together is enough."""
        clean = len(units) > 1 and not self._anything_in(units)
        return (_clean(unit) if clean else self._alone(unit) for unit in units)

    def _anything_in(self, units: Sequence[Unit]) -> bool:
        if any(unit.images for unit in units):
            return True
        leaves = [leaf for unit in units for leaf in unit.leaves]
        ids = BREAK.join(leaf.said for leaf in leaves if leaf.place is Place.ID)
        texts = BREAK.join(leaf.said for leaf in leaves if leaf.place is not Place.ID)
        joints = _joints(units)
        return (
            any(True for _ in hits(texts, self.matcher, on_time=self.on_time))
            or any(_counts_in(Place.ID, hit) for hit in hits(ids, self.matcher, on_time=self.on_time))
            or any(True for _ in joints.hits(self.matcher))
        )

    def _alone(self, unit: Unit) -> Known:
        findings = [picture(image, self.key) for image in unit.images]
        found = hits(unit.text, self.matcher, on_time=self.on_time)
        findings += (finding(hit, place, self.key) for hit, place in _placed(found, unit))
        joints = _joints((unit,), frozenset(each.rule for each in findings))
        findings += (finding(hit, unit.leaves[0].place, self.key) for _, hit in joints.hits(self.matcher))
        return Known(tuple(findings), frozenset(each.rule for each in findings), _lanes(unit), size_of(unit))


def _clean(unit: Unit) -> Known:
    return Known((), frozenset(), _lanes(unit), size_of(unit))


def _lanes(unit: Unit) -> tuple[Lane, ...]:
    return tuple(laned(unit.leaves))


def _joints(units: Iterable[Unit], known: frozenset[str] = frozenset()) -> Joints:
    """The leaves of units that follow each other in a lane, by twos, and the short ones all together."""
    joints = Joints()
    for unit in units:
        for leaves in laned(unit.leaves).values():
            for before, after in pairwise(leaves):
                joints.add(before, after, known)
            joints.add_pieces(leaves, known)
    return joints


def size_of(unit: Unit) -> int:
    """Its characters, pictures included."""
    return len(unit.text) + sum(len(image.data) for image in unit.images)


def _placed(found: Iterator[Hit], unit: Unit) -> Iterator[tuple[Hit, Place]]:
    """The hits in a unit's text, each with the place of the leaf that holds it; of another reading, the longest leaf's."""
    leaves = unit.leaves
    starts = list(accumulate((len(leaf.said) + len(BREAK) for leaf in leaves), initial=0))
    main = max(leaves, key=lambda leaf: len(leaf.text)).place if leaves else Place.EXTRA
    for hit in found:
        place = leaves[bisect_right(starts, hit.start) - 1].place if hit.exact else main
        if _counts_in(place, hit):
            yield hit, place


def _counts_in(place: Place, hit: Hit) -> bool:
    return place is not Place.ID or hit.rule.judge in _SURE


_SURE = frozenset({"certain", "token", "password"})  # judges that count in ids, which are random by nature


def finding(hit: Hit, place: Place, key: bytes) -> Finding:
    return Finding(
        rule=hit.rule.id,
        kind=hit.rule.kind,
        place=place,
        mark=hashed(hit.value, key),
        start=hit.start if hit.exact else 0,
        end=hit.end if hit.exact else 0,
        exact=hit.exact,
    )


def picture(image: Image, key: bytes) -> Finding:
    return Finding(rule="image", kind="opaque", place=Place.IMAGE, mark=hashed(image.data, key))
