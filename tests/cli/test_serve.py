"""`holdfast serve` as a process whose policy is edited while it runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from gateway.core.access import hash_of
from tests.real.processes import free_port

POLICY = "upstreams: {{ollama: {{url: 'http://127.0.0.1:9'}}}}\nserver: {{host: {host}, port: {port}}}\n"
KEYS = f"keys: {{me: {{sha256: '{hash_of('secret')}'}}}}\n"


@asynccontextmanager
async def served(policy: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "gateway",
        "serve",
        "--policy",
        policy,
        "--state",
        policy.parent / "state",
    ]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def told(process: asyncio.subprocess.Process, session: aiohttp.ClientSession, url: str, words: str) -> str:
    """The notice that holds these words, once it is there."""
    while process.returncode is None:
        with suppress(aiohttp.ClientError):
            async with session.get(f"{url}/readyz") as response:
                notices = [str(each) for each in (await response.json()).get("notices", [])]
            for notice in ["up", *notices]:
                if words in notice:
                    return notice
        await asyncio.sleep(0.05)
    raise AssertionError("holdfast serve has ended")


async def test_an_edit_cannot_take_the_keys_from_a_gateway_that_others_reach(tmp_path: Path) -> None:
    """The address to listen on stays as it was bound, whatever the edited file says of it."""
    port = free_port()
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY.format(host="0.0.0.0", port=port) + KEYS)
    url = f"http://127.0.0.1:{port}"
    async with served(file) as process, aiohttp.ClientSession() as session:
        await told(process, session, url, "up")
        file.write_text(POLICY.format(host="127.0.0.1", port=port))
        assert "no API keys are set up" in await told(process, session, url, "not taken")
        async with session.get(f"{url}/v1/models", headers={"Authorization": "Bearer another"}) as response:
            assert response.status == 401
        file.write_text(POLICY.format(host="0.0.0.0", port=1) + KEYS)
        assert "server.port will hold" in await told(process, session, url, "next start")
