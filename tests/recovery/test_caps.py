"""What bounds the attempts at one answer: generations, the tokens of all continuations together, a prompt that stays too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.policy import Policy
from gateway.core.policy.circles import CircleRules
from gateway.core.policy.models import ModelRule
from gateway.core.policy.recovery import RecoveryRules
from gateway.testing.faults import FaultKind
from gateway.testing.generations import NEW, OLD
from gateway.testing.models.model import FAMILIES
from tests.recovery.cases import UNREADABLE
from tests.recovery.judging import complaints
from tests.recovery.saying import PLAIN, SAYINGS, SUM
from tests.recovery.stage import HASTY, Case, Outcome, Stage, Strike
from tests.recovery.surfaces import SURFACES, Surface

TEXT, THOUGHT, CALL = SAYINGS[0], SAYINGS[2], SAYINGS[5]
RESERVE = 16
surfaces = pytest.mark.parametrize("surface", SURFACES, ids=lambda each: each.name)


async def played(case: Case, state: Path, *, policy: Policy = HASTY, family: str = "qwen3-coder") -> Outcome:
    async with Stage(FAMILIES[family], NEW, state, policy) as stage:
        return await stage.play(case)


@pytest.mark.parametrize("times", [1, 2, 4])
async def test_continuations_together_are_bounded(times: int, tmp_path: Path) -> None:
    recovery = RecoveryRules(per_window=50, per_request=50, backoff=0.0, reserve_times=times)
    policy = Policy(models=(ModelRule(match="*", output_reserve=RESERVE),), recovery=recovery)
    always_cut = Strike(kind=FaultKind.CAP, at=7, times=None)
    outcome = await played(Case(saying=TEXT, strikes=(always_cut,)), tmp_path, policy=policy)
    continued = [asked.said_tokens for asked in outcome.generations[1:]]
    assert times * RESERVE - 7 <= sum(continued) <= times * RESERVE
    assert outcome.seen.ends == ["length"]
    assert PLAIN.startswith(outcome.seen.text)


@surfaces
async def test_a_prompt_that_stays_too_long_is_refused_at_once(surface: Surface, tmp_path: Path) -> None:
    strike = Strike(kind=FaultKind.OVERFLOW, times=None)
    outcome = await played(Case(saying=TEXT, surface=surface, strikes=(strike,)), tmp_path)
    assert not complaints(outcome, whole=False)
    assert outcome.seen.nothing
    assert len(outcome.generations) == 1


@pytest.mark.parametrize("kind", [FaultKind.CRASH, FaultKind.OUT_OF_MEMORY, FaultKind.SILENT_END])
async def test_a_model_that_dies_for_ever_costs_six_generations_at_most(kind: FaultKind, tmp_path: Path) -> None:
    strike = Strike(kind=kind, at=0, times=None)
    outcome = await played(Case(saying=TEXT, strikes=(strike,)), tmp_path)
    assert not complaints(outcome, whole=False)
    assert outcome.seen.errors
    assert len(outcome.generations) <= (6 if kind is FaultKind.OUT_OF_MEMORY else 3)


@surfaces
async def test_a_thought_without_an_end_is_closed_and_the_answer_begins(surface: Surface, tmp_path: Path) -> None:
    endless = Strike(kind=FaultKind.LOOP, at=12)
    outcome = await played(Case(saying=THOUGHT, surface=surface, strikes=(endless,)), tmp_path, family="qwen3")
    assert outcome.seen.text.strip() == SUM
    assert len(outcome.generations) == 2


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.thinks])
async def test_a_thought_that_is_too_long_is_ended(family: str, tmp_path: Path) -> None:
    policy = replace(HASTY, circles=CircleRules(thought_tokens=10))
    outcome = await played(Case(saying=THOUGHT), tmp_path, policy=policy, family=family)
    assert outcome.seen.text.strip() == SUM
    assert outcome.seen.thought
    assert len(outcome.seen.thought) < len(THOUGHT.turn.thinking)
    assert outcome.seen.ends == ["stop"]
    assert len(outcome.generations) == 2


@pytest.mark.parametrize("family", ["qwen3-coder", "glm-4.7", "gemma4"])
async def test_a_runner_that_hangs_after_a_parser_error_costs_one_generation(family: str, tmp_path: Path) -> None:
    """It is unloaded then, whatever way the next attempt goes."""
    strikes = (Strike(kind=FaultKind.PARSER_FAILS, text=UNREADABLE), Strike(kind=FaultKind.WEDGE))
    async with Stage(FAMILIES[family], OLD, tmp_path, HASTY) as stage:
        outcome = await stage.play(Case(saying=CALL, strikes=strikes))
    assert not complaints(outcome, whole=True)
    assert len(outcome.generations) == 3
