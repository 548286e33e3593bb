"""What the rules find in one text: as it stands, with exact spans, and in its other readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.privacy.judge import convicts
from gateway.core.privacy.machine_made import digits
from gateway.core.privacy.rule import Matcher, Rule
from gateway.core.privacy.strangeness import strangeness
from gateway.core.privacy.views import View, views

_STRETCH = 1 << 20  # characters that are looked at before the clock is
_OVERLAP = 8 << 10  # characters that two stretches share
_OFTEN = 1000  # candidates that are weighed before the clock is looked at
_LITTLE = 4  # characters that are no part of a secret
_TELLING = 8  # characters of a value that stand nowhere by chance


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that convicts, its value, and the span of that in the text; `exact` is false for one that another reading shows."""

    rule: Rule
    value: str = field(repr=False)
    start: int = 0
    end: int = 0
    exact: bool = False


def hits(text: str, matcher: Matcher, *, on_time: Callable[[], None]) -> Iterator[Hit]:
    """Every hit in the text, and what its readings say beyond that, once for each rule. `on_time` raises when it is late."""
    for start in range(0, max(1, len(text)), _STRETCH):
        stretch = text if len(text) <= _STRETCH + _OVERLAP else text[start : start + _STRETCH + _OVERLAP]
        values: list[str] = []
        for hit in _in_stretch(stretch, matcher, on_time):
            values.append("".join(hit.value.split()))
            yield replace(hit, start=start + hit.start, end=start + hit.end)
        told = set()
        for view in views(stretch):
            on_time()
            for hit in news(view, matcher):
                if hit.rule.id not in told and _says_more(hit.value, values):
                    told.add(hit.rule.id)
                    yield _found_again(hit, stretch, start)
        if len(text) <= start + _STRETCH + _OVERLAP:
            return


def _in_stretch(text: str, matcher: Matcher, on_time: Callable[[], None]) -> Iterator[Hit]:
    """What the text itself shows, each value once: a rule may find it by more than one name."""
    on_time()
    seen = set()
    for count, candidate in enumerate(matcher.candidates(text)):
        if not count % _OFTEN:
            on_time()
        first, last = candidate.value_start, candidate.value_end
        if (candidate.rule.id, first, last) not in seen and convicts(candidate, text):
            seen.add((candidate.rule.id, first, last))
            yield Hit(candidate.rule, text[first:last], first, last, exact=True)


def _found_again(hit: Hit, text: str, start: int) -> Hit:
    """A hit of another reading, with its very span where the text spells the value just so."""
    place = text.find(hit.value)
    if len(hit.value) < _TELLING or place < 0:
        return hit
    return replace(hit, start=start + place, end=start + place + len(hit.value), exact=True)


def _says_more(value: str, known: Sequence[str]) -> bool:
    """Whether a value is more than one that is known, or than that with a word beside it; blanks don't count."""
    said = "".join(value.split())
    return not any(said in each or (each in said and is_plain(said.replace(each, "", 1))) for each in known)


def is_plain(text: str) -> bool:
    """Whether the text is too little for a part of a secret, or what people write."""
    return len(text) < _LITTLE or (digits(text) < _LITTLE - 1 and strangeness(text) < 0)


def news(view: View, matcher: Matcher) -> Iterator[Hit]:
    """What a reading adds; the span is that in the reading."""
    for candidate in matcher.candidates(view.text):
        if view.news(candidate.start, candidate.end) and convicts(candidate, view.text):
            first, last = candidate.value_start, candidate.value_end
            yield Hit(candidate.rule, view.text[first:last], first, last)
