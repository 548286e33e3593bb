"""What the gateway costs: small chats, a 200 KB history, streams; beside the upstream itself and a bare relay, in one run."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request; `rounds` requests at each concurrency."""

    name: str
    rounds: int
    history: int = 0
    stream: bool = False
    say: str = ""

    def body(self, number: int) -> bytes:
        """Each request is another one, so that nothing is answered from memory."""
        turns = [
            {"role": role, "content": f"{number}-{place}: " + "def f(x): return x + 1  # line\n" * 64}
            for place in range(self.history)
            for role in ("user", "assistant")
        ]
        last = {"role": "user", "content": f"question {number} {self.say}"}
        return json.dumps({"model": "bench", "stream": self.stream, "messages": [*turns, last]}).encode()


CASES = (
    Case("small chat", 600),
    Case("200 KB history", 120, history=50),
    Case("200-event stream", 120, stream=True, say="stream please"),
)
PACED = Case("paced stream", 32, stream=True, say="paced please")


@dataclass(frozen=True, slots=True)
class Result:
    p50: float
    p99: float
    rate: float
    cpu: float


class Process:
    """A server as a process of its own, with the CPU and memory that it took."""

    def __init__(self, command: Sequence[str], url: str) -> None:
        self.url = url
        began = time.monotonic()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = int(url.rsplit(":", 1)[1])
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - began

    @property
    def cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    @property
    def megabytes(self) -> float:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


async def measure(server: Process, path: str, case: Case, concurrency: int) -> Result:
    """Closed loop: so many clients, each asking again as soon as it has its answer."""
    bodies = iter(range(10_000_000))
    times: list[float] = []
    rounds = max(case.rounds, concurrency * 4)

    async def client(session: aiohttp.ClientSession) -> None:
        while (number := next(bodies)) < rounds:
            began = time.perf_counter()
            body = case.body(number)
            async with session.post(
                server.url + path, data=body, headers={"Content-Type": "application/json"}
            ) as response:
                async for _ in response.content.iter_any():
                    pass
                assert response.status == 200, await response.text()
            times.append(time.perf_counter() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async with session.post(
            server.url + path, data=case.body(10_000_001), headers={"Content-Type": "application/json"}
        ) as warm:
            await warm.read()
        cpu, began = server.cpu, time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(concurrency)))
        took = time.perf_counter() - began
    ordered = sorted(times)
    return Result(
        p50=statistics.median(ordered) * 1000,
        p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
        rate=len(ordered) / took,
        cpu=(server.cpu - cpu) / len(ordered) * 1000,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def servers() -> Iterator[dict[str, tuple[Process, str]]]:
    """The upstream, the bare relay before it, the gateway before it."""
    urls = [f"http://127.0.0.1:{free_port()}" for _ in range(3)]
    ports = [url.rsplit(":", 1)[1] for url in urls]
    with tempfile.TemporaryDirectory() as state:
        upstream = Process([sys.executable, str(HERE / "upstream.py"), ports[0]], urls[0])
        relay = Process([sys.executable, str(HERE / "relay.py"), ports[1], urls[0]], urls[1])
        policy = Path(state) / "policy.yaml"
        policy.write_text(f"upstreams:\n  ollama:\n    url: {urls[0]}\n    slots: 64\n")
        command = [
            sys.executable,
            "-m",
            "gateway",
            "serve",
            "--port",
            ports[2],
            "--policy",
            str(policy),
            "--state",
            state,
        ]
        gateway = Process(command, urls[2])
        try:
            yield {
                "direct": (upstream, "/api/chat"),
                "bare relay": (relay, "/api/chat"),
                "holdfast": (gateway, "/v1/chat/completions"),
            }
        finally:
            for each in (gateway, relay, upstream):
                each.stop()


async def run(concurrencies: Sequence[int]) -> None:
    with servers() as running:
        gateway = running["holdfast"][0]
        print(f"start-up {gateway.start_seconds:.2f} s, memory idle {gateway.megabytes:.0f} MB")
        for case in (*CASES, PACED):
            for concurrency in (32,) if case is PACED else concurrencies:
                floor: Result | None = None
                for name, (server, path) in running.items():
                    found = await measure(server, path, case, concurrency)
                    floor = found if name == "bare relay" else floor
                    beside = (
                        f"  x{found.cpu / floor.cpu:4.1f} cpu x{found.p50 / floor.p50:4.1f} p50 x{found.rate / floor.rate:4.2f} rate"
                        if floor and floor.cpu
                        else ""
                    )
                    print(
                        f"{case.name:18} c{concurrency:<3} {name:11} p50 {found.p50:8.2f} ms  p99 {found.p99:8.2f} ms"
                        f"  {found.rate:8.1f}/s  cpu {found.cpu:6.2f} ms{beside}"
                    )
        print(f"memory after {gateway.megabytes:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, nargs="*", default=[1, 32])
    uvloop.install()
    asyncio.run(run(parser.parse_args().concurrency))
