"""`show` and `status` before a gateway that really listens: what they print is what it answers, in words that tell what happened."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from gateway.testing.client import Client
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.script import always
from tests.cli.house import House, planted, serving

TEXT = "One answer, and it goes on for a while, so that there is something to cut in the midst of it."
MODEL = SimModel(name="coder:30b", script=always(TEXT), parameters={"num_ctx": 32_768})
CHAT = {"model": "coder:30b", "messages": [{"role": "user", "content": "Say it."}], "stream": True}


async def asked(url: str) -> str:
    """The id of one chat request that was answered."""
    async with Client(url) as client:
        answer = await client.post("/v1/chat/completions", CHAT)
    assert answer.status == 200, answer.text
    return answer.headers["x-holdfast-request"]


async def test_show_tells_attempts_causes_times_and_decisions(house: House, tmp_path: Path) -> None:
    async with planted([MODEL], faults=[Fault(kind=FaultKind.CRASH, at=12)]) as sim, serving(sim, tmp_path) as running:
        request = await asked(running.url)
        ran = await house.run("show", request, "--url", running.url)
        raw = await house.run("show", request, "--url", running.url, "--json")
        async with Client(running.url) as client:
            told = (await client.get(f"/holdfast/requests/{request}")).json
    assert (ran.status, raw.status, ran.err + raw.err) == (0, 0, "")
    assert raw.json == told
    for words in (
        f"Request {request} came ",
        "and has ended.",
        "asks for coder:30b, by the openai API, streamed",
        "tokens (exact), window 32,768",
        "attempt 1 at ollama/coder:30b, from the start",
        "attempt 1 broke: the model's runner died (",
        "attempt 2 at ollama/coder:30b, goes on from",
        "the first part came, ",
        "answered after ",
        " and 2 attempts: ",
        "what was done for it: ",
    ):
        assert words in " ".join(ran.out.split()), words


async def test_a_record_that_is_not_kept_is_no_failure_to_run(house: House, tmp_path: Path) -> None:
    async with planted([MODEL]) as sim, serving(sim, tmp_path) as running:
        ran = await house.run("show", "nosuchrequest", "--url", running.url)
        raw = await house.run("show", "nosuchrequest", "--url", f"{running.url}/v1/", "--json")
    assert (ran.status, raw.status) == (1, 1)
    assert "no record of nosuchrequest is kept" in ran.out
    assert "error" in raw.json


@pytest.mark.parametrize("command", [["show", "abc"], ["status"]])
async def test_where_no_gateway_runs(house: House, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with planted([MODEL]) as sim:  # answers, but is no Holdfast
        other = await house.run(*command, "--url", sim.url)
    monkeypatch.setenv("HOLDFAST_PORT", "1")
    gone = await house.run(*command)
    odd = await house.run(*command, "--url", "ftp://h")
    assert (other.status, gone.status, odd.status) == (2, 2, 2)
    assert "is no Holdfast" in other.err
    assert "no Holdfast answers at http://127.0.0.1:1 (" in gone.err
    assert "Start it (holdfast serve), or say where it is: --url URL" in gone.err
    assert "ftp://h is no address of a gateway" in odd.err
    assert other.out + gone.out + odd.out == ""


async def test_an_id_that_is_none_is_not_asked_for(house: House) -> None:
    ran = await house.run("show", "../status", "--url", "http://127.0.0.1:1")
    assert (ran.status, ran.out) == (2, "")
    assert "is no id of a request" in ran.err


async def test_status_of_a_gateway_that_rests(house: House, tmp_path: Path) -> None:
    async with planted([MODEL]) as sim, serving(sim, tmp_path) as running:
        await asked(running.url)
        ran = await house.run("status", "--url", running.url)
        raw = await house.run("status", "--url", running.url, "--json")
    assert (ran.status, raw.status) == (0, 0)
    assert raw.json["running"] == []
    assert "nothing is under way" in ran.out
    assert f"{sim.url}   fine" in ran.out
    assert "ollama/coder:30b   32,768   the model's own setting" in ran.out


async def test_status_of_a_gateway_at_work(house: House, tmp_path: Path) -> None:
    stalled = Fault(kind=FaultKind.STALL, at=5, seconds=60.0)
    async with (
        planted([MODEL], faults=[stalled]) as sim,
        serving(sim, tmp_path) as running,
        aiohttp.ClientSession(running.url) as session,
        session.post("/v1/chat/completions", json=CHAT) as response,
    ):
        await response.content.readany()
        ran = await house.run("status", "--url", running.url)
        raw = await house.run("status", "--url", running.url, "--json")
    under_way = raw.json["running"]
    assert isinstance(under_way, list)
    (only,) = under_way
    assert (only["state"], only["target"]) == ("writing", "ollama/coder:30b")
    assert "1 request is under way" in ran.out
    row = next(line for line in ran.out.splitlines() if only["id"] in line)
    assert "ollama/coder:30b" in row
    assert "writing" in row
