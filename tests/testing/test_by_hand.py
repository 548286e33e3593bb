"""`python -m gateway.testing`, for people."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from gateway.testing.__main__ import fault
from gateway.testing.client import Client
from gateway.testing.faults import Fault, FaultKind


def test_faults_are_written_short() -> None:
    assert fault("crash@40") == Fault(kind=FaultKind.CRASH, at=40, seconds=60.0)
    assert fault("silent end") == Fault(kind=FaultKind.SILENT_END, seconds=60.0)
    with pytest.raises(ValueError, match="explode"):
        fault("explode")


async def test_it_serves_a_model_and_breaks_as_told() -> None:
    arguments = ["--port", "0", "--model", "toy", "--generation", "old", "--fault", "crash@3", "--window", "9000"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.testing", *arguments, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr
        greeting = (await process.stderr.readline()).decode()
        found = re.search(r"simulated Ollama 0\.24\.0 on (http://127\.0\.0\.1:\d+), model toy", greeting)
        assert found
        body = {"model": "toy", "messages": [{"role": "user", "content": "hi"}]}
        async with Client(found[1]) as client:
            assert "unexpected EOF" in (await client.post("/api/chat", body)).text
            assert (await client.post("/api/chat", body)).lines[-1]["done"] is True
    finally:
        process.terminate()
        await process.wait()
