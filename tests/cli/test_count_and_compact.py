"""`count` and `compact`: what they print is what the endpoints answer; where they can't, they say what to do; nothing is generated."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from gateway.testing.client import Client
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.record import Kind
from tests.cli.house import House, planted, serving

MODEL = SimModel(name="coder:30b", window=262_144, parameters={"num_ctx": 32_768})
READ = {"type": "function", "function": {"name": "read", "description": "Read a file.", "parameters": {
    "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}}}  # fmt: skip


def call(number: int) -> dict[str, object]:
    arguments = json.dumps({"path": f"src/part{number}.py"})
    made = {"id": f"call_{number}", "type": "function", "function": {"name": "read", "arguments": arguments}}
    return {"role": "assistant", "content": f"I read part {number}.", "tool_calls": [made]}


def request(turns: int = 1, **more: object) -> dict[str, object]:
    """A session that has read so many files, of some two thousand tokens each."""
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "You are a coding agent."},
        {"role": "user", "content": "Mend the parser in src/part0.py, and leave the rest alone."},
    ]
    for number in range(turns):
        text = "\n".join(f"{line:04d}: value_{number} = compute({line}, depth={line % 7})" for line in range(120))
        messages += [call(number), {"role": "tool", "tool_call_id": f"call_{number}", "content": text}]
    return {"model": "coder:30b", "messages": messages, "tools": [READ], **more}


async def answered(url: str, path: str, body: Mapping[str, object]) -> tuple[int, dict[str, object]]:
    async with Client(url) as client:
        answer = await client.post(path, body)
    return answer.status, answer.json


async def test_count_prints_what_the_endpoint_answers(house: House) -> None:
    file = house.write("request.json", request(3))
    async with planted([MODEL]) as sim, serving(sim, house.home / "served") as running:
        ran = await house.run("count", str(file), "--ollama", sim.url, "--json")
        status, told = await answered(running.url, "/v1/chat/completions/input_tokens", request(3))
        made = [asked for asked in sim.requests if asked.kind is Kind.GENERATION]
    assert (ran.status, ran.err, status) == (0, "", 200)
    assert ran.json == told
    assert (told["method"], told["window"]) == ("exact", 32_768)
    assert not made


async def test_count_in_words(house: House) -> None:
    house.write("request.json", request(3))
    async with planted([MODEL]) as sim:
        short = await house.run("count", "request.json", "--ollama", sim.url)
        house.write("request.json", request(20))
        long = await house.run("count", "request.json", "--ollama", sim.url)
        tokens = (await house.run("count", "request.json", "--ollama", sim.url, "--json")).json["input_tokens"]
    assert isinstance(tokens, int)
    assert (short.status, long.status) == (0, 0)
    assert "takes prompts of up to 28,672" in short.out
    assert "are left" in short.out
    assert f"coder:30b: {tokens:,} tokens" in long.out
    assert f"{tokens - 28_672:,} too long" in long.out


async def test_a_request_from_standard_input_for_another_model(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {key: value for key, value in request().items() if key != "model"}
    models = [MODEL, SimModel(name="other", parameters={"num_ctx": 8192})]
    async with planted(models) as sim:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(body).encode())))
        ran = await house.run("count", "-", "--model", "other", "--ollama", sim.url, "--json")
    assert (ran.json["model"], ran.json["window"]) == ("other:latest", 8192)


async def test_without_a_vocabulary_the_count_is_an_estimate(house: House) -> None:
    house.write("request.json", request(3))
    async with planted([MODEL]) as sim:
        served = await house.run("count", "request.json", "--openai", sim.url, "--model", "coder:30b", "--json")
        words = await house.run("count", "request.json", "--openai", sim.url, "--model", "coder:30b")
    assert served.status == 0
    tokens, margin = served.json["input_tokens"], served.json["margin"]
    assert isinstance(tokens, int)
    assert isinstance(margin, int)
    assert served.json["method"] == "estimated"
    assert served.json["window"] is None
    assert margin / tokens == pytest.approx(0.35, abs=0.001)
    assert f"about {tokens:,} tokens, {margin:,} more at most" in words.out
    assert "its window is not known" in words.out


@pytest.mark.parametrize("window", [None, 16_384, 12_000])
async def test_compact_prints_what_the_endpoint_answers(house: House, window: int | None) -> None:
    body, extra = request(20), {} if window is None else {"window": window}
    house.write("request.json", body)
    flags = [] if window is None else ["--window", str(window)]
    async with planted([MODEL]) as sim, serving(sim, house.home / "served") as running:
        ran = await house.run("compact", "request.json", *flags, "--ollama", sim.url, "--json")
        status, told = await answered(running.url, "/v1/chat/completions/compacted", {**body, **extra})
        made = [asked for asked in sim.requests if asked.kind is Kind.GENERATION]
    assert (ran.status, ran.err, status) == (0, "", 200)
    assert ran.json == told
    assert told["window"] == (window or 32_768)
    assert told["stages"]
    assert not made


async def test_compact_in_words(house: House) -> None:
    house.write("request.json", request(20))
    async with planted([MODEL]) as sim:
        ran = await house.run("compact", "request.json", "--window", "16384", "--ollama", sim.url)
        told = (await house.run("compact", "request.json", "--window", "16384", "--ollama", sim.url, "--json")).json
        house.write("request.json", request(1))
        short = await house.run("compact", "request.json", "--ollama", sim.url)
    assert f"{told['tokens_before']:,} tokens become {told['tokens_after']:,}, for a window of 16,384:" in ran.out
    stages = told["stages"]
    assert isinstance(stages, list)
    for stage in stages:
        assert stage["stage"] in ran.out
        assert f"{stage['tokens_after']:,}" in ran.out
    assert short.status == 0
    assert "tokens in 4 messages fit a window of 32,768 as they are: nothing is replaced." in short.out


async def test_what_nothing_makes_fit_is_said_and_its_status_is_1(house: House) -> None:
    body = request(1)
    messages = body["messages"]
    assert isinstance(messages, list)
    messages[1]["content"] += " Mind every one of these rules." * 2000
    house.write("request.json", body)
    async with planted([MODEL]) as sim, serving(sim, house.home / "served") as running:
        ran = await house.run("compact", "request.json", "--window", "4096", "--ollama", sim.url, "--json")
        words = await house.run("compact", "request.json", "--window", "4096", "--ollama", sim.url)
        status, told = await answered(running.url, "/v1/chat/completions/compacted", {**body, "window": 4096})
    assert (ran.status, words.status, status) == (1, 1, 400)
    assert ran.json == told
    error = told["error"]
    assert isinstance(error, dict)
    assert error["code"] == "window_too_small"
    assert str(error["irreducible_tokens"]) in words.out
    assert "policy: models, window" in words.out


@pytest.mark.parametrize(
    ("text", "flags", "said"),
    [
        (None, [], "request.json can't be read: No such file or directory"),
        ("", [], "request.json is no chat request: the request has no body"),
        ("{", [], "request.json is no chat request: the body is not valid JSON"),
        ("[]", [], "the body is an array; send one JSON object"),
        ('{"messages": [{"role": "user", "content": "hi"}]}', [], "names no model; say which it is for: --model NAME"),
        ('{"model": "m"}', [], "`messages` is missing or empty"),
        (json.dumps(request()), ["--model", "nosuch"], "there is no model nosuch at http://127.0.0.1:"),
        (json.dumps(request()), ["--policy", "nosuch.yaml"], "nosuch.yaml: can't be read"),
        (json.dumps(request()), ["--state", "request.json"], "request.json can't be used"),
        (json.dumps(request()), ["--ollama", "http://127.0.0.1:1"], "no model server answers at http://127.0.0.1:1. Start it"),
        (json.dumps(request()), ["--ollama", "http://[nonsense"], "'http://[nonsense' is no address"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["count", "compact"])
async def test_what_cannot_run_says_what_to_do(
    house: House, command: str, text: str | None, flags: list[str], said: str
) -> None:
    if text is not None:
        house.write("request.json", text)
    async with planted([MODEL, SimModel(name="small", family=FAMILIES["llama3"])]) as sim:
        ran = await house.run(command, "request.json", "--ollama", sim.url, "--json", *flags)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"holdfast {command}: ")
    assert said in ran.err
    if flags == ["--model", "nosuch"]:
        assert "there are: coder:30b, small:latest" in ran.err
        assert "ollama pull nosuch" in ran.err
