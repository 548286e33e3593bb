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
from tests.recovery.cases import cases, recovers, sizes
from tests.recovery.judging import complaints
from tests.recovery.saying import sayings_of
from tests.recovery.stage import Case, Stage
from tests.recovery.surfaces import SURFACES

SEED = os.environ.get("HOLDFAST_SEED", "1")
COUNT = 430 if os.environ.get("HOLDFAST_LONG") else 12
generations = pytest.mark.parametrize("generation", [OLD, NEW], ids=lambda each: each.version)


@generations
@pytest.mark.timeout(7200 if os.environ.get("HOLDFAST_LONG") else 120)
async def test_whatever_strikes_the_client_gets_one_answer(generation: Generation, tmp_path: Path) -> None:
    found = await asyncio.gather(*(_struck(name, generation, tmp_path / name) for name in FAMILIES))
    if wrong := [complaint for each in found for complaint in each]:
        pytest.fail("\n".join([f"{len(wrong)} complaints:", *wrong]), pytrace=False)


async def _struck(name: str, generation: Generation, state: Path) -> list[str]:
    """What is wrong with one family's answers."""
    family, wrong = FAMILIES[name], []
    async with Stage(family, generation, state) as stage:
        known = await sizes(stage, family)
        for case in cases(family, known, seed=f"{SEED} {name} {generation.version}", count=COUNT):
            outcome = await stage.play(case)
            if outcome.hurried:
                outcome = await stage.play(case)
            wrong += [f"{name}, {case}: {each}" for each in complaints(outcome, whole=recovers(case))]
    return wrong


@generations
async def test_without_a_fault_it_is_one_generation(generation: Generation, tmp_path: Path) -> None:
    for name, family in FAMILIES.items():
        async with Stage(family, generation, tmp_path / name) as stage:
            for saying in sayings_of(family):
                for surface in SURFACES:
                    if surface.chats or not saying.tools:
                        outcome = await stage.play(Case(saying=saying, surface=surface))
                        assert not complaints(outcome, whole=True), f"{name}: {outcome.case}"
                        assert len(outcome.generations) == 1
