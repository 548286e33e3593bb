"""A call that is too long for the window: the model is asked once to do it in steps, and only where policy lets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.policy import Policy
from gateway.core.policy.recovery import RecoveryRules
from gateway.service.turn.joining import STEPS
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES
from gateway.testing.script import ToolUse, says
from tests.recovery.saying import LOOKING, TOOLS, WRITE, Saying
from tests.recovery.stage import Case, Outcome, Stage
from tests.recovery.surfaces import SURFACES, Surface

NUMBERS = ", ".join(str(7919 * number % 99991) for number in range(1000))
HUGE = says(LOOKING, ToolUse("write_file", {"path": "numbers.txt", "content": NUMBERS}))
PART = Saying(name="in steps", turn=says(LOOKING, WRITE), tools=TOOLS)
WINDOW = 2048
WITHOUT = Policy(recovery=RecoveryRules(steps=False))


async def played(
    state: Path,
    *,
    family: str = "qwen3-coder",
    surface: Surface = SURFACES[0],
    generation: Generation = NEW,
    policy: Policy | None = None,
    strays: bool = False,
) -> Outcome:
    async with Stage(FAMILIES[family], generation, state, policy or Policy(), window=WINDOW) as stage:
        return await stage.play(Case(saying=PART, surface=surface, astray=(HUGE,), strays=strays))


@pytest.mark.parametrize("surface", [each for each in SURFACES if each.chats], ids=lambda each: each.name)
@pytest.mark.parametrize("family", ["qwen3-coder", "qwen3", "devstral", "raw-hermes"])
async def test_the_model_is_asked_for_smaller_calls(family: str, surface: Surface, tmp_path: Path) -> None:
    outcome = await played(tmp_path, family=family, surface=surface)
    assert outcome.seen.calls == PART.calls
    assert outcome.seen.text.strip() == LOOKING
    assert outcome.seen.ends == ["tool_calls" if surface.openai else "stop"]
    assert "asked_for_steps" in outcome.seen.did
    asked = [STEPS in each.prompt for each in outcome.generations]
    assert asked == [False] * (len(asked) - 1) + [True]


@pytest.mark.parametrize("generation", [OLD, NEW], ids=lambda each: each.version)
async def test_it_is_asked_once(generation: Generation, tmp_path: Path) -> None:
    outcome = await played(tmp_path, generation=generation, strays=True)
    assert "asked_for_steps" in outcome.seen.did
    assert all(each.prompt.count(STEPS) <= 1 for each in outcome.generations)
    assert (outcome.seen.text.strip(), outcome.seen.calls, outcome.seen.ends) == (LOOKING, [], ["length"])
    assert len(outcome.generations) <= 3


async def test_policy_may_forbid_it(tmp_path: Path) -> None:
    outcome = await played(tmp_path, policy=WITHOUT)
    assert not any(STEPS in each.prompt for each in outcome.generations)
    assert (outcome.seen.text.strip(), outcome.seen.calls, outcome.seen.ends) == (LOOKING, [], ["length"])
