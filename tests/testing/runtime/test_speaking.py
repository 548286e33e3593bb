"""The loop over tokens: limits, stops, the full window, the repeat guard, speed, half characters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import pytest

from gateway.testing.client import Client
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Ended
from gateway.testing.script import ToolUse, always, says

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
HI = {"role": "user", "content": "hi"}
CHAT: Mapping[str, object] = {"model": "m", "messages": [HI]}
TEXT = " ".join(f"word{n}" for n in range(60))
WORDS = FAMILIES["qwen3-coder"].vocabulary
MODEL = SimModel(name="m", script=always(TEXT))


@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_num_predict_cuts_with_length(limit: int, play: Play) -> None:
    server, client = await play(MODEL)
    answer = await client.post("/api/chat", {**CHAT, "options": {"num_predict": limit}})
    assert answer.lines[-1]["done_reason"] == "length"
    assert answer.lines[-1]["eval_count"] == limit
    assert server.generations[0].said == WORDS.decode(WORDS.encode(TEXT)[:limit])


@pytest.mark.parametrize("limit", [0, -1, 10_000])
async def test_no_limit_is_none(limit: int, play: Play) -> None:
    _, client = await play(MODEL)
    last = (await client.post("/api/chat", {**CHAT, "options": {"num_predict": limit}})).lines[-1]
    assert (last["done_reason"], last["eval_count"]) == ("stop", WORDS.count(TEXT) + 1)


@pytest.mark.parametrize("stop", ["word7", ["nothing", "word7"]])
async def test_a_stop_string_ends_it_unseen(stop: object, play: Play) -> None:
    _, client = await play(MODEL)
    answer = await client.post("/api/chat", {**CHAT, "options": {"stop": stop}})
    assert answer.content == TEXT[: TEXT.index("word7")].rstrip()
    assert answer.lines[-1]["done_reason"] == "stop"


async def test_the_models_own_stop_parameters_hold_in_raw_mode_too(play: Play) -> None:
    _, client = await play(SimModel(name="m", script=always(TEXT), parameters={"stop": ["word3", "word5"]}))
    answer = await client.post("/api/generate", {"model": "m", "prompt": "x", "raw": True})
    assert answer.content == TEXT[: TEXT.index("word3")]


@pytest.mark.parametrize(("generation", "over"), [(NEW, 0), (OLD, 1)])
async def test_the_window_ends_it_where_shifting_is_forbidden(generation: Generation, over: int, play: Play) -> None:
    server, client = await play(MODEL, generation=generation)
    body = {**CHAT, "truncate": False, "shift": False, "options": {"num_ctx": 100}}
    last = (await client.post("/api/chat", body)).lines[-1]
    asked = server.generations[0]
    assert (last["done_reason"], asked.prompt_tokens + asked.said_tokens) == ("length", 100 + over)


async def test_else_the_window_shifts_in_silence(play: Play) -> None:
    server, client = await play(MODEL)
    answer = await client.post("/api/chat", {**CHAT, "options": {"num_ctx": 100}})
    assert (answer.content, answer.lines[-1]["done_reason"]) == (TEXT, "stop")
    assert server.generations[0].shifts > 0


async def test_an_endless_talker_is_stopped_at_ten_windows(play: Play) -> None:
    model = SimModel(name="m", script=always("one two three " * 200))
    _, client = await play(model)
    last = (await client.post("/api/chat", {**CHAT, "options": {"num_ctx": 20}})).lines[-1]
    assert (last["done_reason"], last["eval_count"]) == ("length", 200)


@pytest.mark.parametrize("times", [31, 32])
async def test_the_repeat_guard_ends_a_loop_without_a_word(times: int, play: Play) -> None:
    go = FAMILIES["raw-hermes"]
    server, client = await play(SimModel(name="m", family=go, script=always("go!" + " go" * times)))
    answer = await client.post("/api/chat", CHAT)
    assert answer.content == ("go!" + " go" * 31)
    assert server.generations[0].ended is (Ended.STOP if times == 31 else Ended.SILENT)


async def test_a_piece_is_whole_characters(play: Play) -> None:
    text = "naïve 日本語 🙂🙂 Zürich"
    _, client = await play(SimModel(name="m", script=always(text)))
    answer = await client.post("/api/chat", {**CHAT, "logprobs": True})
    assert answer.content == text
    assert "\ufffd" not in "".join(str(line["message"]) for line in answer.lines)
    tokens = [bytes(entry["bytes"]) for line in answer.lines[:-1] for entry in line["logprobs"]]  # type: ignore[attr-defined]
    assert b"".join(tokens).decode() == text


async def test_time_is_the_tokens_read_anew_and_the_tokens_said(play: Play) -> None:
    model = SimModel(name="m", script=always(TEXT), prompt_speed=100.0, speed=10.0, load_seconds=3.0)
    server, client = await play(model)
    before = server.clock.now()
    first = (await client.post("/api/chat", CHAT)).lines[-1]
    asked, tokens = server.generations[0], WORDS.count(TEXT)
    assert server.clock.now() - before == pytest.approx(3 + asked.prompt_tokens / 100 + tokens / 10)
    assert first["prompt_eval_duration"] == asked.prompt_tokens * 10_000_000
    assert first["eval_duration"] == (tokens + 1) * 100_000_000
    second = (await client.post("/api/chat", CHAT)).lines[-1]
    assert (second["prompt_eval_count"], second["prompt_eval_cached_count"]) == (
        asked.prompt_tokens,
        asked.prompt_tokens - 1,
    )
    assert second["prompt_eval_duration"] == 10_000_000


async def test_under_a_format_it_says_json(play: Play) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {}, "arguments": {"type": "object"}},
        "required": ["name", "arguments"],
    }
    _, client = await play(SimModel(name="m", script=always(says("Well.", ToolUse("ls", {"path": "."})))))
    answer = await client.post("/api/chat", {**CHAT, "format": schema})
    assert answer.content == '{"name": "ls", "arguments": {"path": "."}}'


async def test_thinking_is_on_unless_it_is_turned_off(play: Play) -> None:
    thinker = SimModel(name="m", family=FAMILIES["qwen3.5"], script=always(says("So.", thinking="Hm.")))
    _, client = await play(thinker)
    thoughts = []
    for think in ({}, {"think": True}, {"think": "high"}, {"think": False}):
        lines = (await client.post("/api/chat", {**CHAT, **think})).lines
        thoughts.append("".join(str(line["message"].get("thinking", "")) for line in lines))  # type: ignore[attr-defined]
    assert thoughts == ["Hm.", "Hm.", "Hm.", ""]
