"""Promise 4 over the simulator: every family, every fault, everywhere, on every surface: one answer, and it is the one that was meant.

`HOLDFAST_LONG=1` plays some twelve thousand cases, `HOLDFAST_SEED` other ones.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES
from tests.recovery.cases import cases, recovers, size_of, undisturbed
from tests.recovery.judging import complaints
from tests.recovery.stage import Case, Outcome, Stage

SEED = os.environ.get("HOLDFAST_SEED", "1")
_AGAIN = 2  # times that a case is played once more where this machine was too busy for it
LONG = bool(os.environ.get("HOLDFAST_LONG"))
COUNT = 430 if LONG else 10
generations = pytest.mark.parametrize("generation", [OLD, NEW], ids=lambda each: each.version)


@generations
@pytest.mark.timeout(7200 if LONG else 120)
async def test_whatever_strikes_the_client_gets_one_answer(generation: Generation, tmp_path: Path) -> None:
    found = await asyncio.gather(*(_wrong(name, generation, tmp_path / name) for name in FAMILIES))
    if wrong := [complaint for each in found for complaint in each]:
        pytest.fail("\n".join([f"{len(wrong)} complaints:", *wrong]), pytrace=False)


async def _wrong(name: str, generation: Generation, state: Path) -> list[str]:
    """What is wrong with one family's answers, first without faults, which costs one generation each, then with them."""
    family, known = FAMILIES[name], {}
    wrong: list[str] = []
    async with Stage(family, generation, state) as stage:
        for case in undisturbed(family, everywhere=LONG):
            outcome = await _played(stage, case)
            known[case.saying.name] = size_of(outcome)
            more = [f"{len(outcome.generations)} generations"] if len(outcome.generations) > 1 else []
            found = [] if outcome.hurried else [*complaints(outcome, whole=True), *more]
            wrong += [f"{name}, {case}: {each}" for each in found]
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
