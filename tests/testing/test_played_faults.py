"""Every fault over HTTP: what the client gets, what the record says, and that the next request is served."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import pytest

from gateway.testing.client import Answer, Client
from gateway.testing.faults import FAULTS, Fault, FaultKind
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Ended, Kind
from gateway.testing.runtime.scheduler import Machine
from gateway.testing.script import ToolUse, Turn, always, says

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
TEXT = "one two three four five six"
HI = {"role": "user", "content": "hi"}
CHAT: Mapping[str, object] = {"model": "m", "messages": [HI]}
MODEL = SimModel(name="m", script=always(TEXT))
TOOL = {"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}
CALLER = SimModel(name="m", script=always(says("So.", ToolUse("run", {"command": "ls"}))))

# kind -> (status, what the body says, how the record ends), streaming, `at` = 3 tokens
SEEN: Mapping[FaultKind, tuple[int, str, Ended]] = {
    FaultKind.SLOW_ANSWER: (200, '"done_reason":"stop"', Ended.STOP),
    FaultKind.REFUSE: (418, "teapot", Ended.ERROR),
    FaultKind.QUEUE_FULL: (503, "server busy, please try again.  maximum pending requests exceeded", Ended.ERROR),
    FaultKind.LOAD_MEMORY: (500, "cudaMalloc failed: out of memory\\nerror loading model", Ended.ERROR),
    FaultKind.LOAD_KILLED: (500, "llama-server process has terminated: signal: killed", Ended.ERROR),
    FaultKind.LOAD_GONE: (500, "llama-server process no longer running: unknown ", Ended.ERROR),
    FaultKind.LOAD_TIMEOUT: (500, "timed out waiting for llama-server to start - ", Ended.ERROR),
    FaultKind.SLOW_LOAD: (200, '"load_duration":30001000000', Ended.STOP),
    FaultKind.OVERFLOW: (400, "exceeds the available context size", Ended.ERROR),
    FaultKind.GONE: (500, "check ollama server logs for details", Ended.ERROR),
    FaultKind.GONE_MEMORY: (500, "server logs for details: CUDA error: out of memory", Ended.ERROR),
    FaultKind.COMPUTE_FAILS: (500, "Compute error.", Ended.ERROR),
    FaultKind.SLOW_PROMPT: (200, '"done_reason":"stop"', Ended.STOP),
    FaultKind.COMPUTE_ERROR: (200, "", Ended.SILENT),
    FaultKind.CRASH: (200, '{"error":"an error was encountered while running the model: unexpected EOF"}', Ended.ERROR),
    FaultKind.OUT_OF_MEMORY: (200, "while running the model: CUDA error: out of memory", Ended.ERROR),
    FaultKind.READ_RESET: (200, "error reading llama-server response: read tcp", Ended.ERROR),
    FaultKind.SILENT_END: (200, "", Ended.SILENT),
    FaultKind.STALL: (200, '"done_reason":"stop"', Ended.STOP),
    FaultKind.CAP: (200, '"done_reason":"length"', Ended.LENGTH),
    FaultKind.LOOP: (200, "", Ended.SILENT),
    FaultKind.RESET_AT_TOKEN: (200, "", Ended.SEVERED),
    FaultKind.CLOSE_AT_TOKEN: (200, "", Ended.SEVERED),
    FaultKind.RESET: (200, "", Ended.SEVERED),
    FaultKind.CLOSE: (200, "", Ended.SEVERED),
    FaultKind.END: (200, "", Ended.SEVERED),
    FaultKind.STALL_AT_BYTE: (200, '"done_reason":"stop"', Ended.STOP),
}
_ELSEWHERE = {FaultKind.MALFORMED, FaultKind.DROP_CALLS, FaultKind.PARSER_FAILS, FaultKind.WEDGE}  # tests of their own


def test_every_fault_is_tried() -> None:
    assert set(SEEN) | _ELSEWHERE == set(FaultKind) == set(FAULTS)


@pytest.mark.parametrize("kind", SEEN)
async def test_a_fault_is_seen_once_and_then_all_is_well(kind: FaultKind, play: Play) -> None:
    server, client = await play(MODEL, faults=[Fault(kind=kind, at=3, seconds=30, status=418, text="teapot")])
    status, says_, ended = SEEN[kind]
    answer = await client.post("/api/chat", CHAT)
    assert (answer.status, says_ in answer.text, server.requests[0].ended) == (status, True, ended)
    assert answer.broken == (ended is Ended.SEVERED and kind is not FaultKind.END)
    assert server.requests[0].struck == [kind]
    healthy = await client.post("/api/chat", CHAT)
    assert (healthy.status, healthy.content, server.requests[1].ended) == (200, TEXT, Ended.STOP)


@pytest.mark.parametrize("kind", [k for k, (_, _, ended) in SEEN.items() if ended is Ended.ERROR])
async def test_without_a_stream_it_is_an_http_error(kind: FaultKind, play: Play) -> None:
    _, client = await play(MODEL, faults=[Fault(kind=kind, at=3, status=418, text="teapot")])
    answer = await client.post("/api/chat", {**CHAT, "stream": False})
    assert answer.status == max(400, SEEN[kind][0]) or (SEEN[kind][0] == 200 and answer.status == 500)
    assert list(answer.json) == ["error"]


OLD_WORDS = {
    FaultKind.LOAD_MEMORY: "model requires more system memory (26.5 GiB) than is available (23.5 GiB)",
    FaultKind.LOAD_KILLED: "llama runner process has terminated: signal: killed",
    FaultKind.LOAD_TIMEOUT: "timed out waiting for llama runner to start - progress 0.00 - ",
    FaultKind.OVERFLOW: "the input length exceeds the context length",
}


@pytest.mark.parametrize("kind", OLD_WORDS)
async def test_the_old_generation_has_words_of_its_own(kind: FaultKind, play: Play) -> None:
    _, client = await play(MODEL, faults=[Fault(kind=kind)], generation=OLD)
    assert (await client.post("/api/chat", CHAT)).json == {"error": OLD_WORDS[kind]}


async def test_tokens_before_the_fault_have_gone_out(play: Play) -> None:
    words = MODEL.family.vocabulary
    tokens = words.encode(TEXT)
    for at in range(len(tokens) + 1):
        server, client = await play(MODEL, faults=[Fault(kind=FaultKind.CRASH, at=at)])
        answer = await client.post("/api/chat", CHAT)
        assert Answer(200, {}, b"\n".join(answer.body.splitlines()[:-1])).content == words.decode(tokens[:at]).rstrip()
        assert server.requests[0].said == words.decode(tokens[:at])


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.CLOSE, FaultKind.END])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_body_is_cut_at_any_byte(kind: FaultKind, stream: bool, play: Play) -> None:
    _, client = await play(MODEL)
    whole = (await client.post("/api/chat", {**CHAT, "stream": stream})).body
    for at in (0, 1, len(whole) // 2, len(whole) - 1):
        _, client = await play(MODEL, faults=[Fault(kind=kind, at=at)])
        answer = await client.post("/api/chat", {**CHAT, "stream": stream})
        assert answer.body == whole[:at]
        assert answer.broken == (kind is not FaultKind.END or not stream)


async def test_a_body_without_its_end_is_broken_though_every_byte_came(play: Play) -> None:
    _, client = await play(MODEL)
    whole = (await client.post("/api/chat", CHAT)).body
    _, client = await play(MODEL, faults=[Fault(kind=FaultKind.CLOSE, at=len(whole))])
    answer = await client.post("/api/chat", CHAT)
    assert (answer.body, answer.broken) == (whole, True)


async def test_before_byte_zero_not_even_headers_go_out(play: Play) -> None:
    _, client = await play(MODEL, faults=[Fault(kind=FaultKind.RESET, at=-1)])
    assert await client.post("/api/chat", CHAT) == Answer(0, {}, b"", broken=True)


async def test_a_malformed_line_is_one_line_and_the_stream_goes_on(play: Play) -> None:
    _, client = await play(MODEL, faults=[Fault(kind=FaultKind.MALFORMED, at=1)])
    lines = (await client.post("/api/chat", CHAT)).text.splitlines()
    assert not lines[1].endswith("}")
    assert Answer(200, {}, "\n".join(lines[:1] + lines[2:]).encode()).lines[-1]["done"] is True


async def test_calls_can_be_dropped(play: Play) -> None:
    _, client = await play(CALLER, faults=[Fault(kind=FaultKind.DROP_CALLS)])
    answer = await client.post("/api/chat", {**CHAT, "tools": [TOOL]})
    assert (answer.calls, answer.content, answer.lines[-1]["done_reason"]) == ([], "So.", "stop")
    assert (await client.post("/api/chat", {**CHAT, "tools": [TOOL]})).calls[0]["name"] == "run"


async def test_a_parser_can_fail_on_a_good_call(play: Play) -> None:
    text = "XML syntax error on line 115: unexpected EOF"
    _, client = await play(CALLER, faults=[Fault(kind=FaultKind.PARSER_FAILS, text=text)])
    answer = await client.post("/api/chat", {**CHAT, "tools": [TOOL]})
    assert (answer.content, answer.lines[-1]) == ("So.", {"error": text})


async def test_after_a_parser_error_a_wedged_runner_hangs_until_it_is_unloaded(play: Play) -> None:
    broken = SimModel(
        name="m", script=lambda ask: Turn(raw="<tool_call>\n</tool_call>") if ask.generation == 1 else Turn(text="ok")
    )
    server, client = await play(broken, faults=[Fault(kind=FaultKind.WEDGE)], generation=OLD)
    assert (await client.post("/api/chat", CHAT)).json == {"error": "EOF"}
    hanging = asyncio.create_task(client.post("/api/chat", CHAT))
    await asyncio.sleep(0.1)
    assert not hanging.done()
    assert [asked.ended for asked in server.open_requests] == [Ended.OPEN]
    assert (await client.post("/api/generate", {"model": "m", "keep_alive": 0})).json["done_reason"] == "unload"
    assert (await client.post("/api/chat", CHAT)).content == "ok"
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert server.requests[1].ended is Ended.LEFT


async def test_a_killed_runner_takes_its_other_requests_along(play: Play) -> None:
    slow = SimModel(name="m", script=always(TEXT), speed=200.0)
    crash = Fault(kind=FaultKind.CRASH, at=2, nth=frozenset({2}))
    server, client = await play(slow, faults=[crash], machine=Machine(parallel=2), clock=None)
    answers = await asyncio.gather(client.post("/api/chat", CHAT), client.post("/api/chat", CHAT))
    assert ["unexpected EOF" in answer.text for answer in answers] == [True, True]
    assert (server.loads, server.loaded) == (1, [])


async def test_out_of_memory_unloads_all_models(play: Play) -> None:
    other = SimModel(name="other", script=always("x"))
    server, client = await play(MODEL, other, faults=[Fault(kind=FaultKind.OUT_OF_MEMORY, at=1, nth=frozenset({2}))])
    await client.post("/api/chat", {**CHAT, "model": "other"})
    await client.post("/api/chat", CHAT)
    assert server.loaded == []


@pytest.mark.parametrize("generation", [OLD, NEW])
async def test_for_ever_means_for_ever_until_healed(generation: Generation, play: Play) -> None:
    server, client = await play(MODEL, faults=[Fault(kind=FaultKind.GONE, times=None)], generation=generation)
    assert [(await client.post("/api/chat", CHAT)).status for _ in range(3)] == [500, 500, 500]
    server.faults.clear()
    assert (await client.post("/api/chat", CHAT)).status == 200


async def test_faults_choose_their_requests(play: Play) -> None:
    faults = [
        Fault(kind=FaultKind.GONE, nth=frozenset({2})),
        Fault(kind=FaultKind.REFUSE, on=lambda asked: asked.path == "/api/show", status=500, text="no"),
        Fault(kind=FaultKind.GONE, on=lambda asked: asked.model == "other", times=None),
    ]
    _, client = await play(MODEL, SimModel(name="other"), faults=faults)
    assert [(await client.post("/api/chat", CHAT)).status for _ in range(3)] == [200, 500, 200]
    assert (await client.post("/api/show", {"model": "m"})).json == {"error": "no"}
    assert (await client.post("/api/chat", {**CHAT, "model": "other"})).status == 500


async def test_faults_spare_what_is_no_generation(play: Play) -> None:
    server, client = await play(MODEL, faults=[Fault(kind=FaultKind.GONE, times=None)])
    assert (await client.post("/api/chat", {**CHAT, "_debug_render_only": True})).status == 200
    assert (await client.post("/api/chat", {"model": "m", "messages": []})).json["done_reason"] == "load"
    assert [asked.kind for asked in server.requests] == [Kind.RENDER, Kind.LOAD]


async def test_loading_fails_only_above_a_window(play: Play) -> None:
    _, client = await play(MODEL, faults=[Fault(kind=FaultKind.LOAD_MEMORY, at=8192, times=None)])
    big, small = ({**CHAT, "options": {"num_ctx": size}} for size in (16_384, 8192))
    assert [(await client.post("/api/chat", body)).status for body in (big, small, big)] == [500, 200, 500]


async def test_faults_befall_one_request_together(play: Play) -> None:
    faults = [
        Fault(kind=FaultKind.SLOW_LOAD, seconds=8),
        Fault(kind=FaultKind.SLOW_PROMPT, seconds=330),
        Fault(kind=FaultKind.CRASH, at=2),
    ]
    server, client = await play(MODEL, faults=faults)
    before = server.clock.now()
    assert "unexpected EOF" in (await client.post("/api/chat", CHAT)).text
    assert server.clock.now() - before == 338.0
    assert server.requests[0].struck == [FaultKind.SLOW_LOAD, FaultKind.SLOW_PROMPT, FaultKind.CRASH]


async def test_a_compute_error_is_silent_but_on_the_native_path(play: Play) -> None:
    native = SimModel(name="m", family=FAMILIES["native"], script=always(TEXT))
    _, client = await play(native, faults=[Fault(kind=FaultKind.COMPUTE_ERROR, at=2)])
    assert (await client.post("/api/chat", CHAT)).lines[-1] == {
        "error": "llama-server chat error: map[code:500 message:Compute error. type:server_error]"
    }


async def test_a_client_that_leaves_is_noted_and_frees_its_slot(play: Play) -> None:
    server, client = await play(SimModel(name="m", script=always(TEXT), speed=5.0), clock=None)
    leaving = asyncio.create_task(client.post("/api/chat", CHAT))
    for _ in range(500):
        if server.requests and server.requests[0].said:
            break
        await asyncio.sleep(0.01)
    assert (len(server.open_requests), server.open_connections) == (1, 1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert (server.requests[0].ended, server.open_requests, server.loaded[0].users) == (Ended.LEFT, [], 0)


async def test_a_stopped_server_refuses_and_comes_back_on_its_port(play: Play) -> None:
    server, client = await play(MODEL)
    await client.post("/api/chat", CHAT)
    port = server.port
    await server.stop()
    assert (await client.post("/api/chat", CHAT)).status == 0
    await server.start()
    assert (server.port, server.loaded) == (port, [])
    assert (await client.post("/api/chat", CHAT)).content == TEXT
