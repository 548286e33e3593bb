"""What the Ollama driver asks for, and how it tells the generations of a server that hides its version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.failures import FailureKind
from gateway.core.plan import Mode, Target, Try
from gateway.drivers.http import Http
from gateway.drivers.ollama import Ollama
from gateway.ports import UpstreamFailed
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always

ASKED = Conversation(model="m", messages=(Message(role="user", content=(Prose("Hello."),)),))
SCHEMA = {"type": "object", "properties": {"name": {"const": "f"}}, "required": ["name"]}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(version: str, images: Answer | None) -> AsyncIterator[Ollama]:
    """The driver before a server that says this version, with or without v0.24's route for images."""

    async def told(_: web.Request) -> web.Response:
        return web.json_response({"version": version})

    app = web.Application()
    app.router.add_get("/api/version", told)
    if images is not None:
        app.router.add_post("/v1/images/generations", images)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    driver = Ollama(Http(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield driver
    finally:
        await driver.close()
        await runner.cleanup()


async def _refuses(_: web.Request) -> web.Response:
    error = {"message": "prompt is required", "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=400)


async def _dies(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("version", "images", "told", "prints_control"),
    [
        ("0.24.0", None, "0.24.0", True),
        ("0.33.3", None, "0.33.3", False),
        ("0.0.0", _refuses, "0.24.0", True),  # built with `go install`
        ("0.0.0", None, "0.30.0", False),
        ("", None, "0.30.0", False),
    ],
)
async def test_the_generation(version: str, images: Answer | None, told: str, prints_control: bool) -> None:
    async with serving(version, images) as driver:
        assert await driver.alive() == told
        assert driver.prints_control is prints_control


async def test_a_server_that_dies_when_asked_for_its_generation_is_not_alive() -> None:
    async with serving("0.0.0", _dies) as driver:
        with pytest.raises(UpstreamFailed) as failed:
            await driver.alive()
    assert failed.value.failure.kind is FailureKind.CUT


@pytest.mark.parametrize(("mode", "asked"), [(Mode.FRESH, True), (Mode.SCHEMA, None)])
async def test_under_a_schema_the_text_is_told_once(mode: Mode, asked: bool | None) -> None:
    """With log-probabilities, too, it would be shown as the model's own words."""
    attempt = Try(target=Target("o", "m"), mode=mode, verbatim=True, output=SCHEMA if mode is Mode.SCHEMA else None)
    async with SimulatedOllama([SimModel(name="m", script=always("Fine."))]) as server:
        driver = Ollama(Http(server.url))
        [batch async for batch in driver.stream(ASKED, attempt)]
        await driver.close()
    assert server.requests[-1].body.get("logprobs") == asked
