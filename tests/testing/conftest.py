"""What the tests of the simulator share: servers at a fixed time that stop by themselves, each with a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from gateway.testing.client import Client
from gateway.testing.fake_clock import LeapingClock
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama

BORN = 1_795_240_000.0  # 2026-11-21T05:46:40Z


@pytest.fixture
async def play() -> AsyncIterator[Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]]:
    """Starts a server, on a clock that leaps over waits unless told otherwise, and a client for it."""
    async with AsyncExitStack() as stack:

        async def start(*models: SimModel, **setup: object) -> tuple[SimulatedOllama, Client]:
            arguments = {"clock": LeapingClock(), "born": BORN, **setup}
            server = await stack.enter_async_context(SimulatedOllama(models, **arguments))  # type: ignore[arg-type]
            return server, await stack.enter_async_context(Client(server.url))

        yield start


@pytest.fixture
def talk(play: Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]) -> Callable[..., Awaitable[Client]]:
    """The same where only the client is of interest."""

    async def start(*models: SimModel, **setup: object) -> Client:
        return (await play(*models, **setup))[1]

    return start
