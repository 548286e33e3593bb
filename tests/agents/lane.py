"""What the tests of this lane share: a gateway as its user runs it, and the small task that agents are set."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.testing.agent_scripts import EditTask


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running `holdfast serve`."""

    url: str
    log: Path


@asynccontextmanager
async def serving(upstream: str, state: Path, *, policy: str = "") -> AsyncIterator[Gateway]:
    """`holdfast serve` as a process of its own, the way people run it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log, command = (
        state / "gateway.log",
        [sys.executable, "-m", "gateway", "serve", "--port", str(port), "--ollama", upstream],
    )
    if policy:
        (state / "policy.yaml").write_text(policy)
        command += ["--policy", str(state / "policy.yaml")]
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command, "--state", str(state / "state"), stdout=sink, stderr=sink
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await _up(url, log, process)
        yield Gateway(url, log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 40)


async def _up(url: str, log: Path, process: asyncio.subprocess.Process) -> None:
    """Wait until it answers: up to a minute, for lanes that start several on a busy machine."""
    for _ in range(1200):
        if process.returncode is not None:
            break
        try:
            await asyncio.to_thread(urllib.request.urlopen, f"{url}/healthz", None, 1)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError(f"the gateway does not come up: {log.read_text()[-800:]}")


BEFORE = 'def total(prices):\n    """The sum of all prices."""\n    return sum(prices) - 1\n'
TASK = EditTask(
    path="shop.py",
    before=BEFORE,
    old="    return sum(prices) - 1",
    new="    return sum(prices)",
    check='python3 -c "import shop; assert shop.total([1, 2]) == 3"',
)


def bare_environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of this machine's set-up reaches an agent but where its programs are."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TERM", "SSL_CERT_FILE") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), **more}
