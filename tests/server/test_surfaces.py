"""Every surface answers, in its own tongue and with its own framing; a client that leaves frees the upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from gateway.core.policy import Policy
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.script import always
from tests.server.conftest import TEXT
from tests.server.listening import Listening

Listen = Callable[..., AbstractAsyncContextManager[Listening]]

MESSAGES = [{"role": "user", "content": "hi"}]


async def test_openai_chat_whole(listening: Listen) -> None:
    async with (
        listening() as it,
        it.session.post("/v1/chat/completions", json={"model": "sim", "messages": MESSAGES}) as answer,
    ):
        said = await answer.json()
        assert answer.status == 200
        assert said["object"] == "chat.completion"
        assert said["choices"][0]["message"] == {"role": "assistant", "content": TEXT}
        assert said["choices"][0]["finish_reason"] == "stop"
        assert said["usage"]["prompt_tokens"] == it.ollama.generations[0].prompt_tokens
        assert "method=exact" in answer.headers["x-holdfast-tokens"]
        assert answer.headers["x-holdfast-upstream"] == "ollama"


async def test_openai_chat_streamed(listening: Listen) -> None:
    body = {"model": "sim", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    async with listening() as it, it.session.post("/v1/chat/completions", json=body) as answer:
        events = [line for line in (await answer.text()).split("\n\n") if line]
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert events[-1] == "data: [DONE]"
        chunks = [json.loads(event[6:]) for event in events[:-1]]
        assert all("error" not in chunk for chunk in chunks)
        assert len({chunk["id"] for chunk in chunks}) == 1
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["completion_tokens"] > 0
        text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
        assert text == TEXT


async def test_native_chat_streamed(listening: Listen) -> None:
    async with listening() as it, it.session.post("/api/chat", json={"model": "sim", "messages": MESSAGES}) as answer:
        lines = [json.loads(line) for line in (await answer.read()).splitlines()]
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert "".join(line["message"]["content"] for line in lines) == TEXT
        assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
        assert lines[-1]["done_reason"] == "stop"


async def test_native_chat_and_generate_whole(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.post("/api/chat", json={"model": "sim", "messages": MESSAGES, "stream": False}) as answer:
            assert (await answer.json())["message"]["content"] == TEXT
        async with it.session.post("/api/generate", json={"model": "sim", "prompt": "hi", "stream": False}) as answer:
            assert (await answer.json())["response"] == TEXT


async def test_text_completions(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.post("/v1/completions", json={"model": "sim", "prompt": "hi"}) as answer:
            assert (await answer.json())["choices"][0]["text"] == TEXT
        async with it.session.post("/v1/completions", json={"model": "sim", "prompt": "hi", "stream": True}) as answer:
            assert (await answer.text()).endswith("data: [DONE]\n\n")


async def test_embeddings_in_both_tongues(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.post("/v1/embeddings", json={"model": "sim", "input": ["a", "b"]}) as answer:
            said = await answer.json()
            assert [each["index"] for each in said["data"]] == [0, 1]
        async with it.session.post(
            "/v1/embeddings", json={"model": "sim", "input": "a", "encoding_format": "base64"}
        ) as answer:
            assert isinstance((await answer.json())["data"][0]["embedding"], str)
        async with it.session.post("/api/embed", json={"model": "sim", "input": ["a"]}) as answer:
            assert len((await answer.json())["embeddings"]) == 1
        async with it.session.post("/api/embeddings", json={"model": "sim", "prompt": "a"}) as answer:
            assert (await answer.json())["embedding"]


async def test_lists_show_the_window_that_holds(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.get("/v1/models") as answer:
            (entry,) = (await answer.json())["data"]
            assert (entry["id"], entry["meta"]["n_ctx"]) == ("sim:latest", 32768)
        async with it.session.get("/v1/models/sim:latest") as answer:
            assert (await answer.json())["meta"]["n_ctx"] == 32768
        async with it.session.get("/model/info") as answer:
            assert (await answer.json())["data"][0]["model_info"]["max_input_tokens"] == 32768
        for key in ("model", "name"):
            async with it.session.post("/api/show", json={key: "sim"}) as answer:
                info = (await answer.json())["model_info"]
                assert next(value for name, value in info.items() if name.endswith(".context_length")) == 32768
        async with it.session.get("/api/tags") as answer:
            assert [each["name"] for each in (await answer.json())["models"]] == ["sim:latest"]


async def test_loading_and_freeing_through_the_gateway(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.post("/api/generate", json={"model": "sim"}) as answer:
            assert json.loads(await answer.read())["done_reason"] == "load"
        async with it.session.get("/api/ps") as answer:
            assert [each["name"] for each in (await answer.json())["models"]] == ["sim:latest"]
        async with it.session.post("/api/generate", json={"model": "sim", "keep_alive": 0, "stream": False}) as answer:
            assert (await answer.json())["done_reason"] == "unload"
        assert it.ollama.loaded == []


async def test_health(listening: Listen) -> None:
    async with listening() as it:
        async with it.session.get("/healthz") as answer:
            assert answer.status == 200
        async with it.session.get("/readyz") as answer:
            assert (answer.status, (await answer.json())["upstreams"]["ollama"]["ok"]) == (200, True)
        await it.ollama.stop()
        async with it.session.get("/readyz") as answer:
            assert answer.status == 503


async def test_the_record_tells_what_was_done(listening: Listen) -> None:
    async with listening() as it:
        it.ollama.faults.add(Fault(kind=FaultKind.CRASH, at=5))
        async with it.session.post("/v1/chat/completions", json={"model": "sim", "messages": MESSAGES}) as answer:
            assert (await answer.json())["choices"][0]["message"]["content"] == TEXT
            number = answer.headers["x-holdfast-request"]
        async with it.session.get(f"/holdfast/requests/{number}") as answer:
            record = await answer.json()
        kinds = [event["event"] for event in record["events"]]
        assert kinds[0] == "Came"
        assert kinds[-1] == "Ended"
        assert "Broke" in kinds
        assert TEXT[:20] not in json.dumps(record), "no content in records"


async def test_a_long_wait_has_headers_and_heartbeats(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, timeouts=replace(base.timeouts, headers=0.05, heartbeat=0.05))
    for path, beat in (("/v1/chat/completions", b": holdfast"), ("/api/chat", b'"content":""')):
        async with listening(policy) as it:
            it.ollama.faults.add(Fault(kind=FaultKind.SLOW_PROMPT, seconds=0.4))
            body = {"model": "sim", "messages": MESSAGES, "stream": True}
            async with it.session.post(path, json=body) as answer:
                assert answer.status == 200
                said = await answer.read()
            assert said.count(beat) >= 3


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat"])
@pytest.mark.parametrize("when", ["before the first byte", "in the middle"])
async def test_a_client_that_leaves_closes_the_upstream(listening: Listen, path: str, when: str) -> None:
    slow = SimModel(name="sim", script=always(TEXT * 20), parameters={"num_ctx": 32768}, speed=200.0)
    async with listening(None, [slow]) as it:
        if when == "before the first byte":
            it.ollama.faults.add(Fault(kind=FaultKind.SLOW_PROMPT, seconds=30))
        task = asyncio.ensure_future(_read_all(it, path))
        await _until(lambda: bool(it.ollama.generations), seconds=5.0)
        await asyncio.sleep(0.2)
        task.cancel()
        await _until(lambda: not it.ollama.open_requests, seconds=1.0)


async def _until(true: Callable[[], bool], *, seconds: float) -> None:
    for _ in range(int(seconds / 0.01)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


async def _read_all(it: Listening, path: str) -> None:
    body = {"model": "sim", "messages": MESSAGES, "stream": True}
    async with it.session.post(path, json=body) as answer:
        await answer.read()


async def test_lone_surrogates_do_not_wedge_a_history(listening: Listen) -> None:
    body = b'{"model":"sim","messages":[{"role":"user","content":"cut \\ud83d emoji"}]}'
    async with (
        listening() as it,
        it.session.post("/v1/chat/completions", data=body, headers={"Content-Type": "application/json"}) as answer,
    ):
        assert answer.status == 200
        assert "cut \ufffd emoji" in it.ollama.generations[0].prompt


async def test_half_an_emoji_is_noted_and_wedges_nothing(listening: Listen) -> None:
    body = b'{"model":"sim","messages":[{"role":"user","content":"cut \\ud83d here"}]}'
    async with (
        listening() as it,
        it.session.post("/v1/chat/completions", data=body, headers={"Content-Type": "application/json"}) as response,
    ):
        assert response.status == 200
        assert response.headers["x-holdfast-did"] == "text_repaired"
