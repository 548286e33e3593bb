"""The litellm driver on real sockets: what a provider notices of a cancelled answer, and what we make of a broken connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from gateway.core.failures import FailureKind
from gateway.ports import UpstreamFailed
from tests.drivers.clouds import attempt_at, collect, driver_of, question, said, text_of

PROVIDERS = pytest.mark.parametrize("provider", ["gemini", "mistral", "openrouter"])
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Cloud:
    """A server that sends one event for each request, then waits for its client to go, or goes itself."""

    def __init__(self) -> None:
        self.event: object = None
        self.goes = False
        self.requests: list[bytes] = []
        self.left = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
        self.requests.append(head + await reader.readexactly(size))
        data = f"data: {json.dumps(self.event)}\n\n".encode()
        writer.write(_HEAD + f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
        if not self.goes:
            await reader.read()
            self.left.set()
        writer.close()


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    server = Cloud()
    yield server
    await server.stop()


@PROVIDERS
async def test_a_provider_notices_at_once_that_nobody_waits(cloud: Cloud, provider: str) -> None:
    cloud.event = said(provider, "Hello")
    driver = driver_of(provider, url=await cloud.start())
    came = asyncio.Event()

    async def follow() -> None:
        async for batch in driver.stream(question(), attempt_at(provider)):
            if text_of(batch):
                came.set()

    task = asyncio.create_task(follow())
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cloud.left.wait()
    await driver.close()


@PROVIDERS
async def test_a_connection_that_breaks_is_a_cut(cloud: Cloud, provider: str) -> None:
    cloud.event, cloud.goes = said(provider, "Hello"), True
    driver = driver_of(provider, url=await cloud.start())
    with pytest.raises(UpstreamFailed) as caught:
        await collect(driver, question(), attempt_at(provider))
    assert caught.value.failure.kind is FailureKind.CUT
    assert len(cloud.requests) == 1
    await driver.close()


@PROVIDERS
async def test_the_environment_sends_nothing_elsewhere(
    cloud: Cloud, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.event, cloud.goes = said(provider, "Hello", end="stop"), True
    url = await cloud.start()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("GEMINI_API_BASE", "MISTRAL_API_BASE", "OPENROUTER_API_BASE", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/v1")
    driver = driver_of(provider, url=url)
    with pytest.raises(UpstreamFailed):  # it breaks its connection off, as told
        await collect(driver, question(), attempt_at(provider))
    assert len(cloud.requests) == 1
    await driver.close()
