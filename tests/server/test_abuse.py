"""Clients that are broken, greedy, slow or hostile, and a gateway that is stopped under its clients."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web

from gateway.app import assemble
from gateway.config.load import with_upstreams
from gateway.core.events import Came
from gateway.core.policy import Policy
from gateway.server.front import Front, Knock, Route
from gateway.server.running import Running
from gateway.telemetry.recorder import Recorder
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always
from tests.server.listening import Listening, raw, request

Listen = Callable[..., AbstractAsyncContextManager[Listening]]

PATH = "/v1/chat/completions"
JSON = "Content-Type: application/json"
ZIPPED = "Content-Encoding: gzip"
PULL = {"model": "sim"}
LONG = " ".join(f"word{number}" for number in range(2000))
MODELS = (
    SimModel(name="sim", script=always("Short."), parameters={"num_ctx": 8192}),
    SimModel(name="slow", script=always(LONG), speed=50, parameters={"num_ctx": 8192}),
    SimModel(name="loading", load_seconds=600),
    SimModel(name="brief", script=always(" ".join("abcdefghij")), speed=20, parameters={"num_ctx": 8192}),
)


def chat(model: str = "sim", **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], **more}).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway that a test may stop, and the upstream behind it."""

    running: Running
    ollama: SimulatedOllama
    session: aiohttp.ClientSession

    async def raw(self, data: bytes) -> bytes:
        return await raw(self.running.url, data)


@asynccontextmanager
async def serving(
    state: Path, policy: Policy, *, routes: list[Route] | None = None, faults: tuple[Fault, ...] = ()
) -> AsyncIterator[Served]:
    async with SimulatedOllama(list(MODELS), faults=faults) as ollama:
        policy = with_upstreams(policy, ollama=ollama.url, openai=None)
        policy = replace(policy, server=replace(policy.server, port=0))
        assembly = assemble(policy, state=state)
        front = Front(assembly.front.gateway, routes) if routes else assembly.front
        running = Running(front, policy, close=assembly.close)
        await running.start()
        async with aiohttp.ClientSession(running.url) as session:
            yield Served(running, ollama, session)
        if not running.front.draining:
            await running.stop()


def hurried(**seconds: float) -> Policy:
    base = Policy()
    return replace(base, timeouts=replace(base.timeouts, **seconds))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)


def test_on_uvloop_too_the_slow_and_the_many_are_turned_away(tmp_path: Path) -> None:
    """Its transports are none of asyncio's by type; `serve` runs on it."""
    uvloop = pytest.importorskip("uvloop")

    async def attack() -> tuple[bytes, bytes]:
        slow = hurried(request_body=0.3)
        async with serving(tmp_path / "slow", slow) as it:
            trickled = await it.raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        async with serving(tmp_path / "full", replace(slow, limits=replace(slow.limits, connections=0))) as it:
            return trickled, await it.raw(request("GET", "/healthz"))

    slow, full = uvloop.run(attack())
    assert status_of(slow) == 408
    assert b"Retry-After" not in slow, "that is for a full queue alone"
    assert status_of(full) == 503
    assert b"Retry-After" in full


async def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(listening: Listen) -> None:
    """curl asks so where a body is long."""
    async with listening() as it:
        answer = await it.raw(request("POST", PATH, chat(), JSON, "Expect: 100-continue"))
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
        refused = await it.raw(request("POST", PATH, chat(), "Content-Type: text/plain", "Expect: 100-continue"))
        assert status_of(refused) == 415, "what is refused anyway is not asked for"


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (gzip.compress(chat())[:-4], (ZIPPED,), 400, "not what its Content-Encoding says"),
        (b"", (ZIPPED,), 400, "not what its Content-Encoding says"),
        (gzip.compress(b" " * (8 << 20) + chat()), (ZIPPED,), 413, "a hundred times"),
        (b"4\r\nabcd\r\n0\r\n\r\n", ("Transfer-Encoding: gzip, chunked",), 415, "Transfer-Encoding"),
    ],
    ids=["cut", "empty", "bomb", "transfer"],
)
async def test_bodies_that_are_not_what_they_say(
    listening: Listen, body: bytes, headers: tuple[str, ...], status: int, said: str
) -> None:
    async with listening() as it:
        data = request("POST", PATH, body, JSON, *headers)
        if "Transfer-Encoding" in said:
            data = data.replace(b"Content-Length: %d\r\n" % len(body), b"").replace(
                b"\r\nContent-Length: %d" % len(body), b""
            )
        answer = await it.raw(data)
        assert status_of(answer) == status, answer
        assert said in answer.decode()


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp, of the request upstream
async def test_a_history_of_code_inflates_far_and_is_fine(listening: Listen) -> None:
    dice = Random(7)
    text = "\n".join(f"    value_{dice.randrange(9999)} = compute(argument, {dice.random()})" for _ in range(60_000))
    async with listening() as it:
        body = chat().replace(b'"hi"', json.dumps(text).encode())
        zipped = gzip.compress(body)
        assert len(body) > 2 << 20
        answer = await it.raw(request("POST", PATH + "/input_tokens", zipped, JSON, ZIPPED))
        assert status_of(answer) == 200, answer


async def test_a_model_may_be_named_with_escapes(listening: Listen) -> None:
    async with listening() as it:
        assert status_of(await it.raw(request("GET", "/v1/models/sim%3Alatest"))) == 200


async def test_header_bytes_that_are_no_text_do_no_harm(listening: Listen) -> None:
    async with listening() as it:
        head = request("POST", PATH, chat(), JSON, "User-Agent: @", "x-holdfast-session: @", "Authorization: Bearer @")
        assert status_of(await it.raw(head.replace(b"@", b"\xff\xfe"))) == 200
        async with it.session.get("/holdfast/requests") as response:
            (record,) = (await response.json())["requests"]
            assert record["events"][0]["agent"] == "\ufffd\ufffd"


async def test_a_header_that_is_too_large_says_which_limit(listening: Listen) -> None:
    async with listening() as it:
        answer = await it.raw(request("GET", "/healthz", b"", "X-Secret: " + "s" * 200_000))
        assert b"limits.header_bytes" in answer
        assert b"sss" not in answer


def test_names_from_clients_are_bounded_and_cannot_steer_a_terminal() -> None:
    recorder = Recorder(keep=10, wall=lambda: 0.0)
    recorder.note(Came(request="a", surface="openai", model="\x1b[2J" + "m" * 100_000, agent="\x1b]0;x\x07"))
    record = json.dumps(recorder.show("a"), ensure_ascii=False)
    assert len(record) < 2000
    assert "\\u001b" not in record
    assert "\\u0007" not in record


def test_the_words_of_libraries_stay_out_of_the_log() -> None:
    """In a process of its own, since the log is one for all."""
    script = """
import logging
from gateway.telemetry.log import configure
configure()
try:
    int("SECRET of a client")
except ValueError:
    logging.getLogger("somebody").exception("went wrong with %s", "SECRET argument")
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr
    line = json.loads(said)
    assert "SECRET" not in said
    assert (line["library"], line["error"]) == ("somebody", "ValueError")


async def test_what_fails_after_the_headers_closes_the_connection(tmp_path: Path) -> None:
    """A second response inside the first one's body would be read as part of it."""

    async def breaks(knock: Knock) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(knock.http)
        await response.write(b"half")
        raise RuntimeError("SECRET")

    async with serving(tmp_path, Policy(), routes=[Route("GET", "/breaks", "openai", breaks)]) as it:
        answer = await it.raw(request("GET", "/breaks").replace(b"Connection: close\r\n", b""))
    assert answer.endswith(b"4\r\nhalf\r\n"), answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_pull_that_breaks_in_the_middle_ends_with_an_error(tmp_path: Path) -> None:
    base = Policy()
    policy = replace(base, server=replace(base.server, management=("pull",)))
    cut = Fault(kind=FaultKind.CLOSE, at=40, on=lambda asked: asked.path == "/api/pull")
    async with serving(tmp_path, policy, faults=(cut,)) as it, it.session.post("/api/pull", json=PULL) as response:
        text = await response.text()
    assert response.status == 200
    assert set(json.loads(text.strip().splitlines()[-1])) == {"error"}


async def test_headers_come_when_policy_says_though_heartbeats_are_rarer(tmp_path: Path) -> None:
    async with serving(tmp_path, hurried(headers=0.2, heartbeat=60)) as it:
        async with asyncio.timeout(10):
            body = {"model": "loading", "messages": [{"role": "user", "content": "hi"}], "stream": True}
            async with it.session.post(PATH, json=body) as response:
                assert (await response.content.readline()).startswith(b": ")


async def test_a_gateway_that_is_stopped_lets_answers_end_and_tells_the_rest(tmp_path: Path) -> None:
    async with serving(tmp_path, hurried(drain=2.0, headers=0.2)) as it:

        async def ask(path: str, model: str, *, sends: bool) -> tuple[int, str]:
            body = {"model": model, "messages": [{"role": "user", "content": path}], "stream": sends}
            async with it.session.post(path, json=body) as response:
                return response.status, await response.text()

        brief = asyncio.create_task(ask(PATH, "brief", sends=True))
        await until(lambda: bool(it.ollama.generations))
        cut = [
            asyncio.create_task(ask(path, "slow", sends=sends))
            for path, sends in ((PATH, True), (PATH, False), ("/api/chat", True))
        ]
        await until(lambda: it.running.front.under_way == 4)
        await it.running.stop()
        whole = await brief
        stream, single, native = await asyncio.gather(*cut)
    assert whole[0] == 200
    assert whole[1].endswith("data: [DONE]\n\n")
    assert stream[0] == 200
    assert json.loads(stream[1].strip().splitlines()[-1].removeprefix("data: "))["error"]["code"] == "shutting_down"
    assert single[0] == 503
    assert json.loads(single[1])["error"]["code"] == "shutting_down"
    assert set(json.loads(native[1].strip().splitlines()[-1])) == {"error"}
