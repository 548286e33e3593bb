"""Secrets that two leaves make together: the end of one and the beginning of the next of the same field are read as one text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby
from typing import TypeAlias

from gateway.core.privacy.finding import Place
from gateway.core.privacy.reading import Hit, is_plain, news
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.strangeness import strangeness
from gateway.core.privacy.units import BREAK, Leaf
from gateway.core.privacy.views import View, views

Lane: TypeAlias = tuple[str, str]  # leaves that follow each other: all prose, or one field of one place

_EDGE = 256  # characters of either leaf that are read
_BREAK = 5 * BREAK  # between pairs: more than may stand between a name and its value
_PIECE = 64  # characters of a leaf that may be one of many pieces
_PROSE = frozenset({Place.SYSTEM, Place.USER, Place.ASSISTANT, Place.RESULT})


def laned(leaves: Iterable[Leaf]) -> dict[Lane, list[Leaf]]:
    """The leaves by lane, in order: what a user says goes on in the answer, as well as in what the user says next."""
    found: dict[Lane, list[Leaf]] = {}
    for leaf in leaves:
        if leaf.place is Place.ID:  # random by nature, and nobody's prose
            continue
        own: Lane = (leaf.place, leaf.name)
        found.setdefault(own, []).append(leaf)
        if leaf.place in _PROSE:
            found.setdefault(("prose", ""), []).append(leaf)
        elif leaf.place is Place.EXTRA and leaf.name:  # `part1` and `part2` of whatever field
            found.setdefault((leaf.place, ""), []).append(leaf)
    return found


class Joints:
    """Pairs of leaves, gathered so that the rules run over all of them at once."""

    def __init__(self) -> None:
        self._views: list[View] = []
        self._known: list[frozenset[str]] = []

    def add(self, before: Leaf, after: Leaf, known: frozenset[str]) -> None:
        """A pair, and the rules that find something near it already."""
        head, tail = before.text[-_EDGE:], after.text[:_EDGE]
        between = " " if _are_apart(head, tail) else ""  # a name may still be given the value that comes next
        head = head.rstrip()
        self._views.append(View(head + between + tail.lstrip(), (len(head),)))
        self._known.append(known)

    def add_pieces(self, leaves: Iterable[Leaf], known: frozenset[str]) -> None:
        """Short leaves that follow each other, each of which may be a piece of one secret."""
        for short, group in groupby(leaves, lambda leaf: 0 < len(leaf.text) <= _PIECE):
            pieces = [leaf.text for leaf in group] if short else []
            if len(pieces) > 2:
                self._views.append(View("".join(pieces), tuple(accumulate(map(len, pieces[:-1])))))
                self._known.append(known)

    def hits(self, matcher: Matcher) -> Iterator[tuple[int, Hit]]:
        """What is in no leaf alone, each hit with the number of its pair."""
        for pair, hit in self._all(matcher):
            if hit.rule.id not in self._known[pair] or self._goes_on(pair, hit):
                yield pair, hit

    def _goes_on(self, pair: int, hit: Hit) -> bool:
        """Whether the value goes on across the seam, and no other text only stands right beside it."""
        view = self._views[pair]
        start, seam = view.text.find(hit.value), view.seams[0]
        return start >= 0 and not any(map(is_plain, (view.text[start:seam], view.text[seam : start + len(hit.value)])))

    def _all(self, matcher: Matcher) -> Iterator[tuple[int, Hit]]:
        if not self._views:
            return
        starts = list(accumulate((len(view.text) + len(_BREAK) for view in self._views), initial=0))
        text = _BREAK.join(view.text for view in self._views)
        seams = [start + seam for start, view in zip(starts, self._views, strict=False) for seam in view.seams]
        for hit in news(View(text, seams), matcher):
            yield bisect_right(starts, hit.start) - 1, hit
        if any(hit for view in views(text) for hit in news(view, matcher)):
            yield from self._encoded(matcher)

    def _encoded(self, matcher: Matcher) -> Iterator[tuple[int, Hit]]:
        for place, joint in enumerate(self._views):
            yield from ((place, hit) for view in views(joint.text) for hit in news(view, matcher))


def _are_apart(head: str, tail: str) -> bool:
    """Whether there are blanks between the two, and a common word beside them: so prose begins, and no half of a secret."""
    blank = head[-1:].isspace() or tail[:1].isspace()
    return blank and (_is_word(head.split()[-1:]) or _is_word(tail.split(None, 1)[:1]))


def _is_word(found: list[str]) -> bool:
    word = found[0].strip(".,:;!?") if found else ""
    return len(word) > 2 and word.isalpha() and strangeness(word) < 0
