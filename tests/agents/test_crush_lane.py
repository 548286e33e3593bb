"""The Crush stand-in through the real gateway, calm and with the upstream dying: its task ends, and no half file is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.testing.agent_scripts import editing
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from tests.agents.crush_run import GoMissing, Task, find_go, find_real_crush, run_real_crush, run_stand_in
from tests.agents.lane import TASK, serving

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300)]
MODEL = "sim-coder"
PROMPT = "Fix the sum in shop.py and check it."


@pytest.fixture(scope="session", autouse=True)
def go() -> None:
    try:
        find_go()
    except GoMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("provider", ["openai-compat", "ollama", "llamacpp", "litellm"])
async def test_the_task_ends_with_every_kind_of_provider(project: Path, tmp_path: Path, provider: str) -> None:
    model = SimModel(name=MODEL, script=editing(replace(TASK, root=str(project))), parameters={"num_ctx": 32768})
    async with SimulatedOllama([model]) as ollama, serving(ollama.url, tmp_path) as gateway:
        done = await run_stand_in(Task(f"{gateway.url}/v1", MODEL, PROMPT, project, provider))
        assert (project / "shop.py").read_text() == TASK.after, done
        assert done.rc == 0, done
        assert not done.errors, done.errors


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.CRASH, at=12, times=2),
        Fault(kind=FaultKind.CAP, at=20, times=2),
        Fault(kind=FaultKind.SILENT_END, at=9, times=2),
        Fault(kind=FaultKind.RESET_AT_TOKEN, at=16, times=2),
        Fault(kind=FaultKind.DROP_CALLS, times=1),
        Fault(kind=FaultKind.GONE_MEMORY, times=2),
    ],
    ids=lambda fault: fault.kind.name.lower(),
)
async def test_a_dying_upstream_costs_the_client_nothing(project: Path, tmp_path: Path, fault: Fault) -> None:
    model = SimModel(name=MODEL, script=editing(replace(TASK, root=str(project))), parameters={"num_ctx": 32768})
    async with SimulatedOllama([model], faults=[fault]) as ollama, serving(ollama.url, tmp_path) as gateway:
        done = await run_stand_in(Task(f"{gateway.url}/v1", MODEL, PROMPT, project))
        assert (project / "shop.py").read_text() == TASK.after, done
        assert done.rc == 0, done
        assert not any(call.repaired for call in done.tool_calls), "the client had to repair a cut call"


async def test_the_real_crush_where_there_is_one(project: Path, tmp_path: Path) -> None:
    if find_real_crush() is None:
        pytest.skip("no `crush` on PATH; the stand-in has run in its place")
    model = SimModel(name=MODEL, script=editing(replace(TASK, root=str(project))), parameters={"num_ctx": 32768})
    async with SimulatedOllama([model]) as ollama, serving(ollama.url, tmp_path) as gateway:
        done = await run_real_crush(Task(f"{gateway.url}/v1", MODEL, PROMPT, project))
        assert done.rc == 0, done
        assert (project / "shop.py").read_text() == TASK.after, done
