"""Real agents through the real gateway: each reads a file, edits it and runs a check, and the file on disk is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.testing.agent_scripts import EditTask, editing
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from tests.agents import clients, installed
from tests.agents.clients import AIDER_FLAGS, MODEL, opencode_config
from tests.agents.lane import BEFORE, TASK, bare_environment, serving

__all__ = ["AIDER_FLAGS", "MODEL", "aider", "opencode", "run"]  # the lane's other files take them from here

pytestmark = [pytest.mark.agents, pytest.mark.timeout(400)]


def simulated(task: EditTask, *, faults: tuple[Fault, ...] = ()) -> SimulatedOllama:
    model = SimModel(name=MODEL, script=editing(task), window=32768, parameters={"num_ctx": 32768})
    return SimulatedOllama([model], faults=faults)


async def run(command: list[str | Path], *, cwd: Path, env: dict[str, str], seconds: float = 240) -> tuple[int, str]:
    """An agent that ends by itself, or the test fails."""
    ran = await clients.run(command, cwd=cwd, env=env, seconds=seconds)
    assert ran.status is not None, f"{command[0]} did not end within {seconds:.0f} s: {ran.said[-2000:]}"
    return ran.status, ran.said


def the_file_is_right(project: Path, said: str) -> None:
    assert (project / "shop.py").read_text() == TASK.after, said[-2000:]


@pytest.fixture(scope="session")
def aider() -> Path:
    try:
        return installed.aider()
    except installed.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def opencode() -> Path:
    try:
        return installed.opencode()
    except installed.Missing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize(
    ("model", "base"),
    [
        (f"openai/{MODEL}", {"OPENAI_API_BASE": "{url}/v1", "OPENAI_API_KEY": "holdfast"}),
        (f"openai/{MODEL}", {"OPENAI_API_BASE": "{url}", "OPENAI_API_KEY": "holdfast"}),
        (f"ollama_chat/{MODEL}", {"OLLAMA_API_BASE": "{url}"}),
        (f"ollama_chat/{MODEL}", {"OLLAMA_API_BASE": "{url}/"}),
    ],
    ids=["openai", "openai-without-v1", "ollama_chat", "ollama_chat-trailing-slash"],
)
async def test_aider_edits_a_file(aider: Path, project: Path, tmp_path: Path, model: str, base: dict[str, str]) -> None:
    async with simulated(TASK) as ollama, serving(ollama.url, tmp_path) as gateway:
        env = bare_environment(tmp_path / "home", **{key: value.format(url=gateway.url) for key, value in base.items()})
        command = [
            aider,
            *AIDER_FLAGS,
            "--model",
            model,
            "--edit-format",
            "diff",
            "--message",
            "Fix the sum.",
            "shop.py",
        ]
        _, said = await run([str(each) for each in command], cwd=project, env=env)
        the_file_is_right(project, said)
        assert not any(asked.reloaded for asked in ollama.requests), "Aider sends another num_ctx on every request"


async def test_aider_survives_a_runner_that_dies_mid_answer(aider: Path, project: Path, tmp_path: Path) -> None:
    """In `whole` format a cleanly ended cut answer would destroy the file."""
    async with (
        simulated(TASK, faults=(Fault(kind=FaultKind.CRASH, at=12, times=1),)) as ollama,
        serving(ollama.url, tmp_path) as gateway,
    ):
        env = bare_environment(tmp_path / "home", OPENAI_API_BASE=f"{gateway.url}/v1", OPENAI_API_KEY="holdfast")
        command = [
            aider,
            *AIDER_FLAGS,
            "--model",
            f"openai/{MODEL}",
            "--edit-format",
            "whole",
            "--message",
            "Fix the sum.",
            "shop.py",
        ]
        _, said = await run([str(each) for each in command], cwd=project, env=env)
        the_file_is_right(project, said)


@pytest.mark.parametrize("faults", [(), (Fault(kind=FaultKind.CRASH, at=14, times=2),)], ids=["calm", "crashes"])
async def test_opencode_finishes_its_task(
    opencode: Path, project: Path, tmp_path: Path, faults: tuple[Fault, ...]
) -> None:
    task = replace(TASK, root=str(project))
    async with simulated(task, faults=faults) as ollama, serving(ollama.url, tmp_path) as gateway:
        (project / "opencode.json").write_text(opencode_config(gateway.url))
        env = bare_environment(tmp_path / "home", OPENCODE_DISABLE_AUTOUPDATE="1", OPENCODE_DISABLE_MODELS_FETCH="1")
        status, said = await run([opencode, "run", "Fix the sum in shop.py and check it."], cwd=project, env=env)
        the_file_is_right(project, said)
        assert status == 0, said[-2000:]
        assert (project / "shop.py").read_text() != BEFORE
