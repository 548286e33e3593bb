"""Which fault strikes where in which answer, by chance; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.testing.faults import FAULTS, FaultKind, Point
from gateway.testing.generations import Generation
from gateway.testing.models.model import Family
from tests.recovery.saying import sayings_of
from tests.recovery.stage import WINDOW, Case, Outcome, Strike
from tests.recovery.surfaces import SURFACES

KINDS = tuple(kind for kind in FaultKind if kind is not FaultKind.WEDGE)  # that one follows a parser's error
UNREADABLE = "XML syntax error on line 7: unexpected EOF"


@dataclass(frozen=True, slots=True)
class Size:
    """How long an answer is, so that faults can strike all over it."""

    tokens: int
    body: int


def size_of(undisturbed: Outcome) -> Size:
    """What a case of faults needs to know of an answer without any."""
    return Size(undisturbed.generations[0].said_tokens, undisturbed.body)


def undisturbed(family: Family, *, everywhere: bool) -> Iterator[Case]:
    """All that a family can say, without a fault: on one surface after the other, or each of it `everywhere`."""
    for place, saying in enumerate(sayings_of(family)):
        surfaces = [surface for surface in SURFACES if surface.chats or not saying.tools]
        for surface in surfaces if everywhere else [surfaces[place % len(surfaces)]]:
            yield Case(saying=saying, surface=surface)


def cases(
    family: Family, known: Mapping[str, Size], *, generation: Generation, seed: str, count: int
) -> Iterator[Case]:
    """Cases of one family: one or two faults in each, which strike once, twice or for ever.

    After an error of its parser the runner of an old server may hang until it is unloaded.
    """
    dice = random.Random(seed)
    for _ in range(count):
        surface = dice.choice(SURFACES)
        saying = dice.choice([saying for saying in sayings_of(family) if surface.chats or not saying.tools])
        strikes = tuple(_strike(dice, known[saying.name]) for _ in range(dice.choice((1, 1, 2))))
        if not generation.new and any(strike.kind is FaultKind.PARSER_FAILS for strike in strikes):
            strikes += dice.choice(((), (Strike(kind=FaultKind.WEDGE),)))
        yield Case(saying=saying, surface=surface, strikes=strikes)


def _strike(dice: random.Random, size: Size) -> Strike:
    kind, times, place = dice.choice(KINDS), dice.choice((1, 1, 2, None)), dice.random()
    match FAULTS[kind][0]:
        case Point.TOKEN:
            return Strike(kind=kind, at=int(place * (size.tokens + 1)), times=times)
        case Point.BODY:
            return Strike(kind=kind, at=int(place * (size.body + 2)) - 1, times=times)
        case Point.LOAD:
            return Strike(kind=kind, at=int(place * WINDOW), times=times)
        case _:
            return Strike(kind=kind, times=times, text=UNREADABLE if kind is FaultKind.PARSER_FAILS else "")


def recovers(case: Case) -> bool:
    """The upstream gets well before the gateway has spent its attempts, and nothing wrong was sent meanwhile."""
    if any(strike.kind is FaultKind.OVERFLOW for strike in case.strikes):
        return False  # one who takes these short prompts for too long will not change his mind
    if case.surface.streams and any(strike.kind is FaultKind.LOOP for strike in case.strikes):
        return False  # what it said in a circle is with the client
    return sum(strike.times or len(KINDS) for strike in case.strikes) <= 2
