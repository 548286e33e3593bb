"""A gateway that really listens, in this process, before a simulated Ollama."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.app import assemble
from gateway.config.load import with_upstreams
from gateway.core.policy import Policy
from gateway.server.running import Running
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always
from tests.server.listening import Listening

TEXT = "One answer, whatever was asked; and it goes on for a while, so that there is something to cut."


@asynccontextmanager
async def _listening(tmp_path: Path, policy: Policy, models: list[SimModel]) -> AsyncIterator[Listening]:
    async with SimulatedOllama(
        models or [SimModel(name="sim", script=always(TEXT), parameters={"num_ctx": 32768})]
    ) as ollama:
        policy = with_upstreams(policy, ollama=ollama.url, openai=None)
        policy = replace(policy, server=replace(policy.server, port=0))
        assembly = assemble(policy, state=tmp_path / "state")
        running = Running(assembly.front, policy, close=assembly.close)
        await running.start()
        try:
            async with aiohttp.ClientSession(running.url) as session:
                yield Listening(running.url, policy, assembly.replace, ollama, session)
        finally:
            await running.stop()


@pytest.fixture
def listening(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Listening]]:
    """`async with listening(policy, models) as it:` — both optional."""

    def start(
        policy: Policy | None = None, models: list[SimModel] | None = None
    ) -> AbstractAsyncContextManager[Listening]:
        return _listening(tmp_path, policy or Policy(), models or [])

    return start
