"""Loading, reloading, making room, expiring, queueing: counted, and paid for in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import pytest

from gateway.testing.client import Answer, Client
from gateway.testing.fake_clock import FakeClock, LeapingClock
from gateway.testing.generations import NEW, OLD
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.runtime.scheduler import Machine
from gateway.testing.script import always

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
CHAT: Mapping[str, object] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
MODEL = SimModel(name="m", script=always("ok"), window=8192, load_seconds=20.0, size_gib=4.0, kv_gib=1.0)
GIB = 1 << 30


def with_window(size: int, model: str = "m") -> Mapping[str, object]:
    return {**CHAT, "model": model, "options": {"num_ctx": size}}


async def test_a_model_is_loaded_once_and_reloaded_when_its_window_changes(play: Play) -> None:
    server, client = await play(MODEL)
    for body in (CHAT, CHAT, with_window(6000), with_window(6000), CHAT):
        await client.post("/api/chat", body)
    assert [(a.loaded, a.reloaded, a.window) for a in server.generations] == [
        (True, False, 4096),
        (False, False, 4096),
        (True, True, 6000),
        (False, False, 6000),
        (True, True, 4096),
    ]
    assert (server.loads, server.clock.now()) == (3, 60.0)


@pytest.mark.parametrize(("generation", "loads"), [(NEW, 2), (OLD, 1)])
async def test_toggling_shift_restarts_the_runner_of_the_new_generation(
    generation: object, loads: int, play: Play
) -> None:
    server, client = await play(MODEL, generation=generation)
    await client.post("/api/chat", CHAT)
    await client.post("/api/chat", {**CHAT, "shift": False})
    assert server.loads == loads


@pytest.mark.parametrize(
    ("options", "parameters", "window"),
    [
        ({}, {}, 2048),
        ({}, {"num_ctx": 3000}, 3000),
        ({"num_ctx": 5000}, {"num_ctx": 3000}, 5000),
        ({"num_ctx": 1}, {}, 4),
        ({"num_ctx": 99_999}, {}, 8192),
    ],
)
async def test_whose_word_on_the_window_counts(
    options: object, parameters: Mapping[str, object], window: int, play: Play
) -> None:
    model = SimModel(name="m", script=always("ok"), window=8192, parameters=parameters)
    server, client = await play(model, machine=Machine(default_window=2048))
    await client.post("/api/chat", {"model": "m", "messages": [], "options": options})
    assert [runner.window for runner in server.loaded] == [window]


async def test_ps_tells_window_size_and_when_it_expires(play: Play) -> None:
    _, client = await play(MODEL)
    await client.post("/api/chat", {**CHAT, "keep_alive": "2m"})
    models = (await client.get("/api/ps")).json["models"]
    assert isinstance(models, list)
    (entry,) = models
    assert list(entry) == ["name", "model", "size", "digest", "details", "expires_at", "size_vram", "context_length"]
    assert (entry["name"], entry["context_length"], entry["size"]) == ("m:latest", 4096, round(8.096 * GIB))
    assert entry["expires_at"] == "2026-11-21T05:49:00.000000001Z"  # 20 s of loading and 2 m after the start


async def test_a_model_expires(play: Play) -> None:
    server, client = await play(MODEL)
    await client.post("/api/chat", {**CHAT, "keep_alive": 10})
    assert isinstance(server.clock, LeapingClock)
    await server.clock.sleep(9.9)
    assert len(server.loaded) == 1
    await server.clock.sleep(0.2)
    assert server.loaded == []


@pytest.mark.parametrize(("keep_alive", "there"), [(0, 0), (-1, 1), ("-1s", 1)])
async def test_keep_alive_at_its_ends(keep_alive: object, there: int, play: Play) -> None:
    server, client = await play(MODEL)
    await client.post("/api/chat", {**CHAT, "keep_alive": keep_alive})
    assert isinstance(server.clock, LeapingClock)
    await server.clock.sleep(1_000_000)
    assert len(server.loaded) == there


async def test_a_window_that_memory_does_not_hold_fails_to_load(play: Play) -> None:
    _, client = await play(MODEL, machine=Machine(memory=10.0), generation=OLD)
    answers = [await client.post("/api/chat", with_window(size)) for size in (8000, 6000)]
    assert [answer.status for answer in answers] == [500, 200]
    assert answers[0].json == {"error": "model requires more system memory (12.0 GiB) than is available (10.0 GiB)"}


async def test_a_window_that_nobody_asked_for_shrinks_to_the_next_tier(play: Play) -> None:
    model = SimModel(name="m", script=always("ok"), window=262_144, size_gib=4.0, kv_gib=0.5)
    server, client = await play(model, machine=Machine(memory=21.0, default_window=262_144))
    assert (await client.post("/api/chat", CHAT)).status == 200
    assert server.loaded[0].window == 32_768
    assert (await client.post("/api/chat", with_window(65_536))).status == 500


async def test_idle_models_make_room_and_busy_ones_do_not(play: Play) -> None:
    other = SimModel(name="other", script=always("ok"), size_gib=4.0, kv_gib=1.0)
    server, client = await play(MODEL, other, machine=Machine(memory=10.0))
    for name in ("m", "other"):
        assert (await client.post("/api/chat", with_window(4000, name))).status == 200
    assert [runner.model.name for runner in server.loaded] == ["other"]
    server.loaded[0].enter()
    assert (await client.post("/api/chat", with_window(4000))).status == 500


async def test_two_names_of_one_blob_evict_each_other(play: Play) -> None:
    twin = SimModel(name="twin", script=always("ok"), blob="m:latest", parameters={"num_ctx": 6000})
    server, client = await play(SimModel(name="m", script=always("ok")), twin)
    for name in ("m", "twin", "m"):
        await client.post("/api/chat", {**CHAT, "model": name})
    assert server.loads == 3


async def test_one_slot_serves_one_after_the_other_and_several_at_once(play: Play) -> None:
    for parallel, seconds in ((1, 4.0), (2, 2.0)):
        clock = FakeClock()
        slow = SimModel(name="m", script=always("one two"), prompt_speed=1e9, speed=1.0)
        server, client = await play(slow, machine=Machine(parallel=parallel), clock=clock)
        both = [asyncio.create_task(client.post("/api/chat", CHAT)) for _ in range(2)]
        tokens = slow.family.vocabulary.count("one two")
        while not all(task.done() for task in both):
            await asyncio.sleep(0.005)
            await clock.advance(0.5)
        assert clock.now() == pytest.approx(seconds * tokens / 2, abs=1.0)
        assert len(server.generations) == 2


async def test_a_full_queue_in_front_of_a_loading_model_is_busy(play: Play) -> None:
    clock = FakeClock()
    server, client = await play(MODEL, machine=Machine(max_queue=2), clock=clock)
    waiting = [asyncio.create_task(client.post("/api/chat", CHAT)) for _ in range(2)]
    for _ in range(100):
        if len(server.requests) == 2:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    busy = await client.post("/api/chat", CHAT)
    assert (busy.status, busy.json) == (
        503,
        {"error": "server busy, please try again.  maximum pending requests exceeded"},
    )
    await clock.advance(20)
    answers: list[Answer] = await asyncio.gather(*waiting)
    assert [answer.content for answer in answers] == ["ok", "ok"]
    assert (await client.post("/api/chat", CHAT)).status == 200


async def test_a_reload_waits_for_whoever_is_in_the_old_runner(play: Play) -> None:
    slow = SimModel(name="m", script=always("one two three"), speed=100.0)
    server, client = await play(slow, clock=None)
    first = asyncio.create_task(client.post("/api/chat", CHAT))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(client.post("/api/chat", with_window(2000)))
    assert [(await task).content for task in (first, second)] == ["one two three"] * 2
    assert [asked.window for asked in server.generations] == [4096, 2000]


async def test_a_window_that_shrank_is_no_reason_to_reload(play: Play) -> None:
    model = SimModel(name="m", script=always("ok"), window=262_144, size_gib=4.0, kv_gib=0.5)
    server, client = await play(model, machine=Machine(memory=21.0, default_window=262_144))
    for _ in range(3):
        assert (await client.post("/api/chat", CHAT)).status == 200
    assert server.loads == 1


async def test_the_book_can_be_kept_short(play: Play) -> None:
    server, client = await play(MODEL, remember=2)
    for _ in range(4):
        await client.post("/api/chat", CHAT)
    assert [(asked.number, asked.generation) for asked in server.requests] == [(3, 3), (4, 4)]
