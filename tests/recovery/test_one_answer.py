"""Promise 4 over the simulator: every family, every fault, everywhere, on every surface: one answer, and it is the one that was meant.

`HOLDFAST_LONG=1` plays some twelve thousand cases, `HOLDFAST_SEED` other ones.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, Family
from tests.recovery.cases import cases, recovers, sizes
from tests.recovery.judging import complaints
from tests.recovery.saying import sayings_of
from tests.recovery.stage import Case, Outcome, Stage
from tests.recovery.surfaces import SURFACES

SEED = os.environ.get("HOLDFAST_SEED", "1")
_AGAIN = 2  # times that a case is played once more where this machine was too busy for it
LONG = bool(os.environ.get("HOLDFAST_LONG"))
COUNT = 430 if LONG else 10
pytestmark = pytest.mark.miscounts  # the simulated 0.24.0 merges as llama.cpp does, the real one's own engine otherwise
generations = pytest.mark.parametrize("generation", [OLD, NEW], ids=lambda each: each.version)


@generations
@pytest.mark.timeout(7200 if LONG else 120)
async def test_whatever_strikes_the_client_gets_one_answer(generation: Generation, tmp_path: Path) -> None:
    found = await asyncio.gather(*(_struck(name, generation, tmp_path / name) for name in FAMILIES))
    if wrong := [complaint for each in found for complaint in each]:
        pytest.fail("\n".join([f"{len(wrong)} complaints:", *wrong]), pytrace=False)


async def _struck(name: str, generation: Generation, state: Path) -> list[str]:
    """What is wrong with one family's answers."""
    family, wrong = FAMILIES[name], []
    async with Stage(family, generation, state) as stage:
        known = await sizes(stage, family)
        seed = f"{SEED} {name} {generation.version}"
        for case in cases(family, known, generation=generation, seed=seed, count=COUNT):
            outcome = await _played(stage, case)
            whole = recovers(case) and not outcome.hurried  # each stall that was none has cost an attempt
            wrong += [f"{name}, {case}: {each}" for each in complaints(outcome, whole=whole)]
    return wrong


async def _played(stage: Stage, case: Case) -> Outcome:
    outcome = await stage.play(case)
    for _ in range(_AGAIN):
        if outcome.hurried:
            outcome = await stage.play(case)
    return outcome


@generations
async def test_without_a_fault_it_is_one_generation(generation: Generation, tmp_path: Path) -> None:
    """Every family, everything that it can say; all surfaces in turn, or in the long profile each of them every time."""
    for name, family in FAMILIES.items():
        async with Stage(family, generation, tmp_path / name) as stage:
            for case in _undisturbed(family):
                outcome = await stage.play(case)
                assert not complaints(outcome, whole=True), f"{name}: {case}"
                assert len(outcome.generations) == 1


def _undisturbed(family: Family) -> Iterator[Case]:
    for place, saying in enumerate(sayings_of(family)):
        surfaces = [surface for surface in SURFACES if surface.chats or not saying.tools]
        for surface in surfaces if LONG else [surfaces[place % len(surfaces)]]:
            yield Case(saying=saying, surface=surface)
