"""What a gateway learns from its upstream: the window that memory holds, also for its next start; speeds; who meddles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import assemble
from gateway.config.load import with_upstreams
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.server.running import Running
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always

TEXT = "One answer, whatever was asked."
MODEL = SimModel(name="sim", script=always(TEXT), parameters={"num_ctx": 32768})
QUESTION = {"model": "sim", "messages": [{"role": "user", "content": "What is changed, and where? " * 30}]}


@asynccontextmanager
async def running(
    ollama: SimulatedOllama, state: Path, policy: Policy | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    policy = with_upstreams(policy or Policy(), ollama=ollama.url, openai=None)
    policy = replace(policy, server=replace(policy.server, port=0))
    assembly = assemble(policy, state=state)
    it = Running(assembly.front, policy, close=assembly.close)
    await it.start()
    try:
        async with aiohttp.ClientSession(it.url) as session:
            yield session
    finally:
        await it.stop()


async def ask(session: aiohttp.ClientSession) -> tuple[dict[str, Any], str]:
    async with session.post("/v1/chat/completions", json=QUESTION) as response:
        return await response.json(), response.headers.get("x-holdfast-tokens", "")


async def look(session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with session.get(path) as response:
        found: dict[str, Any] = await response.json()
        return found


async def test_a_window_that_ran_out_of_memory_is_left_for_a_smaller_one_and_remembered(tmp_path: Path) -> None:
    async with SimulatedOllama([MODEL], faults=[Fault(kind=FaultKind.LOAD_MEMORY, at=20_000, times=None)]) as ollama:
        async with running(ollama, tmp_path) as session:
            answer, tokens = await ask(session)
            assert answer["choices"][0]["message"]["content"] == TEXT
            assert tokens.endswith("window=16384")
            failed = sum(asked.ended == "error" for asked in ollama.requests)
            _, again = await ask(session)
            assert again.endswith("window=16384")
            assert "holds with 16.4k" in str((await look(session, "/readyz"))["notices"])
        async with running(ollama, tmp_path) as session:
            _, next_start = await ask(session)
            assert next_start.endswith("window=16384")
        assert sum(asked.ended == "error" for asked in ollama.requests) == failed, (
            "what is known to fail was tried again"
        )


async def test_a_larger_window_is_tried_again_after_the_quiet_time(tmp_path: Path) -> None:
    policy = Policy()
    policy = replace(policy, recovery=replace(policy.recovery, quiet=0.0))
    fault = Fault(kind=FaultKind.LOAD_MEMORY, at=20_000, times=4)
    async with SimulatedOllama([MODEL], faults=[fault]) as ollama, running(ollama, tmp_path, policy) as session:
        windows = [(await ask(session))[1].rpartition("=")[2] for _ in range(4)]
    assert "16384" in windows
    assert windows[-1] == "32768"


async def test_the_status_tells_windows_and_speeds(tmp_path: Path) -> None:
    async with SimulatedOllama([replace(MODEL, prompt_speed=400.0)]) as ollama, running(ollama, tmp_path) as session:
        await ask(session)
        model = (await look(session, "/holdfast/status"))["upstreams"]["ollama"]["models"]["sim:latest"]
    assert model["window"] == 32768
    assert model["window_from"] == "the model's own setting"
    assert model["prompt_tokens_per_second"] == pytest.approx(400.0, rel=0.02)


async def test_what_fits_the_memory_is_chosen(tmp_path: Path) -> None:
    policy = Policy(models=(ModelRule(match="*", memory="1MiB"),))
    async with SimulatedOllama([MODEL]) as ollama, running(ollama, tmp_path, policy) as session:
        _, tokens = await ask(session)
    assert tokens.endswith("window=32768"), "nothing fits 1 MiB: the model's own setting holds"
