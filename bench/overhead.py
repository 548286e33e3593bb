"""What the gateway costs: small chats, a 200 KB history, streams; beside the upstream itself and a bare relay, in one run.

The three take turns in many short rounds, and of each the least disturbed one counts: the machine may have other work.
CPU is what the kernel accounts to the threads of a server's process, to the nanosecond (Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

HERE = Path(__file__).parent
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request; so many `requests` in a round."""

    name: str
    requests: int
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
    Case("small chat", 60),
    Case("200 KB history", 12, history=50),
    Case("200-event stream", 12, stream=True, say="stream please"),
)
PACED = Case("paced stream", 32, stream=True, say="paced please")
EVENTS = 200  # of a stream (upstream.py)


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds, but for `rate`, which is requests in a second."""

    p50: float
    p99: float
    rate: float
    cpu: float

    def beside(self, floor: Result) -> str:
        return f"x{self.cpu / floor.cpu:4.1f} cpu x{self.p50 / floor.p50:4.1f} p50 x{self.rate / floor.rate:4.2f} rate"


def least_disturbed(rounds: Sequence[Result]) -> Result:
    return Result(
        p50=min(each.p50 for each in rounds),
        p99=min(each.p99 for each in rounds),
        rate=max(each.rate for each in rounds),
        cpu=min(each.cpu for each in rounds),
    )


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
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

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
    requests = max(case.requests, concurrency * 2)

    async def client(session: aiohttp.ClientSession) -> None:
        while (number := next(bodies)) < requests:
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


async def run(concurrencies: Sequence[int], rounds: int) -> None:
    with servers() as running:
        gateway = running["holdfast"][0]
        print(f"start-up {gateway.start_seconds:.2f} s, memory idle {gateway.megabytes:.0f} MB")
        found: dict[tuple[str, int], dict[str, Result]] = {}
        for case in (*CASES, PACED):
            for concurrency in (32,) if case is PACED else concurrencies:
                found[case.name, concurrency] = results = await beside(running, case, concurrency, rounds)
                for name, each in results.items():
                    print(
                        f"{case.name:18} c{concurrency:<3} {name:11} p50 {each.p50:8.2f} ms  p99 {each.p99:8.2f} ms"
                        f"  {each.rate:8.1f}/s  cpu {each.cpu:6.3f} ms  {each.beside(results['bare relay'])}"
                    )
        for concurrency in concurrencies:
            small, stream = (found[case.name, concurrency] for case in (CASES[0], CASES[2]))
            ours, floor = ((stream[name].cpu - small[name].cpu) / EVENTS * 1000 for name in ("holdfast", "bare relay"))
            print(f"an event of a stream c{concurrency:<3} {ours:5.2f} us of cpu, {floor:5.2f} us in the bare relay")
        print(f"memory after {gateway.megabytes:.0f} MB")


async def beside(
    running: Mapping[str, tuple[Process, str]], case: Case, concurrency: int, rounds: int
) -> dict[str, Result]:
    """Each server's least disturbed round of a case, taken in turns."""
    measured: dict[str, list[Result]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, (server, path) in running.items():
            measured[name].append(await measure(server, path, case, concurrency))
    return {name: least_disturbed(each) for name, each in measured.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, nargs="*", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    uvloop.install()
    asyncio.run(run(arguments.concurrency, arguments.rounds))
