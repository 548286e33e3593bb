"""Promise 4 over the simulator: every family, every fault, everywhere, on every surface: one answer, and it is the one that was meant.

`HOLDFAST_LONG=1` plays some twelve thousand cases, `HOLDFAST_SEED` other ones.
"""

from __future__ import annotations

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
COUNT = 430 if os.environ.get("HOLDFAST_LONG") else 15
SERVERS = [
    pytest.param(name, generation, id=f"{name} {generation.version}") for generation in (OLD, NEW) for name in FAMILIES
]


@pytest.mark.parametrize(("name", "generation"), SERVERS)
@pytest.mark.timeout(1800 if os.environ.get("HOLDFAST_LONG") else 120)
async def test_whatever_strikes_the_client_gets_one_answer(name: str, generation: Generation, tmp_path: Path) -> None:
    family = FAMILIES[name]
    async with Stage(family, generation, tmp_path) as stage:
        known = await sizes(stage, family)
        for case in cases(family, known, seed=f"{SEED} {name} {generation.version}", count=COUNT):
            outcome = await stage.play(case)
            assert not complaints(outcome, whole=recovers(case)), f"{name} {generation.version}: {case}"


@pytest.mark.parametrize(("name", "generation"), SERVERS)
async def test_without_a_fault_it_is_one_generation(name: str, generation: Generation, tmp_path: Path) -> None:
    family = FAMILIES[name]
    async with Stage(family, generation, tmp_path) as stage:
        for saying in sayings_of(family):
            for surface in SURFACES:
                outcome = await stage.play(Case(saying=saying, surface=surface))
                assert not complaints(outcome, whole=True), f"{name} {generation.version}: {outcome.case}"
                assert len(outcome.generations) == 1
