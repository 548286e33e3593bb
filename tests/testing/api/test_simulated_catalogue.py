"""What the server tells of its models, and their management."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from gateway.testing.client import Client
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
Talk: TypeAlias = Callable[..., Awaitable[Client]]
MODEL = SimModel(
    name="m",
    script=always("ok"),
    window=8192,
    parameters={"num_ctx": 4096, "temperature": 0.7, "stop": ["<|im_end|>", "END"]},
    system="Be brief.",
)


async def test_show(talk: Talk) -> None:
    shown = (await (await talk(MODEL)).post("/api/show", {"model": "m"})).json
    assert list(shown) == [
        "modelfile",
        "parameters",
        "template",
        "system",
        "details",
        "model_info",
        "tensors",
        "capabilities",
        "modified_at",
    ]
    assert str(shown["modelfile"]).splitlines()[4:] == [
        f"FROM /models/blobs/sha256-{MODEL.digest}",
        "TEMPLATE {{ .Prompt }}",
        "SYSTEM Be brief.",
        "RENDERER qwen3-coder",
        "PARSER qwen3-coder",
        "PARAMETER num_ctx 4096",
        "PARAMETER temperature 0.7",
        "PARAMETER stop <|im_end|>",
        "PARAMETER stop END",
    ]
    assert str(shown["parameters"]).splitlines() == [
        "num_ctx                        4096",
        "temperature                    0.7",
        'stop                           "<|im_end|>"',
        'stop                           "END"',
    ]
    assert shown["capabilities"] == ["completion", "tools"]


async def test_the_big_arrays_come_only_when_asked_for(talk: Talk) -> None:
    client = await talk(MODEL)
    for verbose in (False, True):
        info = (await client.post("/api/show", {"name": "m:latest", "verbose": verbose})).json["model_info"]
        assert isinstance(info, dict)
        assert (info["tokenizer.ggml.tokens"] is None) is not verbose
        assert (info["tokenizer.ggml.merges"] is None) is not verbose
        assert info["qwen3moe.context_length"] == 8192
        assert list(info) == sorted(info)


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_template_or_a_renderer_tells_the_family_apart(name: str, talk: Talk) -> None:
    family = FAMILIES[name]
    shown = (await (await talk(SimModel(name="m", family=family))).post("/api/show", {"model": "m"})).json
    modelfile, template = str(shown["modelfile"]), str(shown["template"])
    assert ("RENDERER" in modelfile) == bool(family.shape.renderer)
    assert (template == "{{ .Prompt }}") == bool(family.shape.renderer)
    assert ("thinking" in shown["capabilities"]) == family.thinks  # type: ignore[operator]


async def test_the_lists(talk: Talk) -> None:
    client = await talk(MODEL, SimModel(name="other:7b"))
    tags = (await client.get("/api/tags")).json["models"]
    assert isinstance(tags, list)
    assert list(tags[0]) == ["name", "model", "modified_at", "size", "digest", "details"]
    assert [entry["name"] for entry in tags] == ["m:latest", "other:7b"]
    listed = (await client.get("/v1/models")).json
    assert listed["data"] == [
        {"id": name, "object": "model", "created": 1_795_240_000, "owned_by": "library"}
        for name in ("m:latest", "other:7b")
    ]
    assert (await client.get("/v1/models/m")).json["id"] == "m"
    missing = await client.get("/v1/models/nope")
    assert (missing.status, missing.json["error"]["type"]) == (404, "not_found_error")  # type: ignore[index]
    assert (await client.get("/api/ps")).json == {"models": []}


async def test_a_model_in_the_cloud_says_so(play: Play) -> None:
    away = SimModel(name="big:cloud", script=always("hi"), remote_host="https://ollama.com:443", remote_model="big")
    server, client = await play(away)
    tags = (await client.get("/api/tags")).json["models"]
    assert isinstance(tags, list)
    assert (tags[0]["remote_host"], tags[0]["remote_model"]) == ("https://ollama.com:443", "big")
    shown = (await client.post("/api/show", {"model": "big:cloud"})).json
    assert (shown["remote_host"], shown["model_info"]) == ("https://ollama.com:443", {})
    await client.post("/api/chat", {"model": "big:cloud", "messages": [{"role": "user", "content": "secret"}]})
    assert len(server.generations) == 1  # what leaks to it is in the record


async def test_the_suffix_local_keeps_a_name_at_home(talk: Talk) -> None:
    client = await talk(MODEL)
    answer = await client.post("/api/chat", {"model": "m:local", "messages": [{"role": "user", "content": "hi"}]})
    assert answer.lines[0]["model"] == "m:local"


@pytest.mark.parametrize(("generation", "version"), [(OLD, "0.24.0"), (NEW, "0.33.3")])
async def test_the_version(generation: Generation, version: str, talk: Talk) -> None:
    assert (await (await talk(generation=generation)).get("/api/version")).json == {"version": version}


async def test_the_greeting_and_what_is_not_there(talk: Talk) -> None:
    client = await talk()
    greeting = await client.get("/")
    assert (greeting.text, greeting.headers["Content-Type"]) == ("Ollama is running", "text/plain; charset=utf-8")
    assert (await client.send("HEAD", "/")).status == 200
    assert (await client.send("HEAD", "/api/version")).status == 200
    for path, status, text in (("/nope", 404, "404 page not found"), ("/api/chat", 405, "405 method not allowed")):
        answer = await client.get(path)
        assert (answer.status, answer.text, answer.headers["Content-Type"]) == (status, text, "text/plain")
    doubled = await client.get("//api/tags")
    assert (doubled.status, doubled.headers["Location"]) == (307, "/api/tags")


async def test_models_are_copied_made_and_deleted(talk: Talk) -> None:
    client = await talk(MODEL)
    assert (await client.post("/api/copy", {"source": "m", "destination": "twin"})).body == b""
    made = await client.post("/api/create", {"model": "small", "from": "m", "parameters": {"num_ctx": 512}})
    assert [line["status"] for line in made.lines][-1] == "success"
    shown = (await client.post("/api/show", {"model": "small"})).json
    assert "PARAMETER num_ctx 512" in str(shown["modelfile"])
    assert (await client.send("DELETE", "/api/delete", b'{"model": "twin"}')).status == 200
    assert (await client.send("DELETE", "/api/delete", b'{"model": "twin"}')).json == {
        "error": "model 'twin' not found"
    }


async def test_pulling_and_pushing_tell_their_steps(talk: Talk) -> None:
    client = await talk(MODEL)
    pulled = await client.post("/api/pull", {"model": "m"})
    assert pulled.headers["Content-Type"] == "application/x-ndjson"
    assert [line["status"] for line in pulled.lines][-1] == "success"
    assert (await client.post("/api/pull", {"model": "m", "stream": False})).json == {"status": "success"}
    assert (await client.post("/api/push", {"model": "m"})).lines[-1] == {"status": "success"}


async def test_embeddings(play: Play) -> None:
    server, client = await play(MODEL)
    made = (await client.post("/api/embed", {"model": "m", "input": ["a b", "c"]})).json
    assert list(made) == ["model", "embeddings", "total_duration", "load_duration", "prompt_eval_count"]
    vectors = made["embeddings"]
    assert isinstance(vectors, list)
    assert [round(sum(number * number for number in vector), 3) for vector in vectors] == [1.0, 1.0]
    again = (await client.post("/v1/embeddings", {"model": "m", "input": "a b"})).json
    assert isinstance(again["data"], list)
    assert again["data"][0] == {"object": "embedding", "embedding": vectors[0], "index": 0}
    assert list((await client.post("/api/embeddings", {"model": "m", "prompt": "c"})).json) == ["embedding"]
    assert server.loads == 1


async def test_embeddings_that_are_refused(talk: Talk) -> None:
    client = await talk(MODEL)
    long = {"model": "m", "input": "word " * 5000, "truncate": False}
    assert (await client.post("/api/embed", long)).json == {"error": "the input length exceeds the context length"}
    refused = await client.post("/v1/embeddings", {"model": "m", "input": None})
    assert refused.json["error"]["message"] == "invalid input"  # type: ignore[index]
    assert (await client.post("/api/embed", {"model": "nope", "input": "x"})).status == 404
