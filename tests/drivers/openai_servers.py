"""Small OpenAI-compatible servers: what llama.cpp, vLLM, LM Studio and a cloud answer at the paths that tell them apart.

Sources: llama.cpp 0c1e570 tools/server (server.cpp, server-context.cpp), vLLM entrypoints/serve/tokenize/protocol.py,
LM Studio's REST API v0, OpenRouter's list of models. Every character is a token; `<s>` is what a template begins with.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Json = dict[str, Any]
Flavour = Literal["llama.cpp", "old llama.cpp", "vLLM", "LM Studio", "cloud"]
End = Literal["whole", "no done", "no finish", "error", "reset"]

TEXT = "Tokens flow like water, one after the other, and none of them is lost on the way."
WINDOW, TRAINED = 8192, 32768
CLOSE = "</end>"


@dataclass(slots=True)
class Server:
    """A server of some flavour that means to say TEXT. `deaths` are the places at which its next answers die."""

    flavour: Flavour
    end: End = "whole"
    closes: bool = False  # its template closes a trailing assistant message
    deaths: list[int] = field(default_factory=list)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    url: str = ""

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def bodies(self, path: str) -> list[Json]:
        return [body for asked, body in self.asked if asked == path]


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """The server on a free port, until the block ends."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        server.asked.append((request.path, body))
        if request.path in ("/v1/chat/completions", "/v1/completions"):
            return await _say(server, request, body)
        told = _told(server, request.path, body)
        return web.json_response({"error": {"message": "Not Found"}}, status=404) if told is None else _json(told)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _json(told: Mapping[str, object]) -> web.Response:
    return web.json_response(told)


def _told(server: Server, path: str, body: Json) -> Json | None:
    llama_cpp = server.flavour.endswith("llama.cpp")
    match path:
        case "/v1/models":
            return {"object": "list", "data": [_entry(server.flavour)]}
        case "/props" if llama_cpp:
            return {
                "default_generation_settings": {"n_ctx": WINDOW},
                "total_slots": 1,
                "chat_template": "{{ messages }}",
            }
        case "/apply-template" if llama_cpp:
            return {"prompt": rendered(server, body)}
        case "/tokenize" if llama_cpp:
            return {"tokens": _tokens(("<s>" if body["add_special"] else "") + body["content"])}
        case "/v1/chat/completions/input_tokens" if server.flavour == "llama.cpp":
            return {"object": "response.input_tokens", "input_tokens": len(rendered(server, body)) + len("<s>")}
        case "/version" if server.flavour == "vLLM":
            return {"version": "0.33.0"}
        case "/tokenize" if server.flavour == "vLLM":
            tokens = _tokens(body["prompt"] if "prompt" in body else "<s>" + rendered(server, body))
            return {"count": len(tokens), "max_model_len": WINDOW, "tokens": tokens}
        case "/detokenize" if server.flavour == "vLLM":
            return {"prompt": "".join(map(chr, body["tokens"]))}
        case "/api/v0/models" if server.flavour == "LM Studio":
            own = {"id": "m", "type": "llm", "arch": "qwen2", "state": "loaded", "max_context_length": TRAINED}
            return {
                "object": "list",
                "data": [{**own, "loaded_context_length": WINDOW}, {"id": "n", "state": "not-loaded"}],
            }
        case _:
            return None


def _entry(flavour: Flavour) -> Json:
    entry: Json = {"id": "m", "object": "model"}
    match flavour:
        case "llama.cpp" | "old llama.cpp":
            return {**entry, "owned_by": "llamacpp", "meta": {"n_ctx_train": TRAINED, "size": 1000}}
        case "vLLM":
            return {**entry, "owned_by": "vllm", "max_model_len": WINDOW}
        case "LM Studio":
            return {**entry, "owned_by": "organization_owner"}
        case "cloud":
            return {**entry, "context_length": TRAINED, "top_provider": {"context_length": WINDOW}}


def rendered(server: Server, body: Json) -> str:
    """The template: every message with its role, the last one open where the request says so."""
    messages: list[Json] = body["messages"]
    tools = f"<tools>{json.dumps(body['tools'])}" if "tools" in body else ""
    turns = [f"<{message['role']}>{message['content']}" for message in messages]
    if messages[-1]["role"] == "assistant" and not server.closes:
        return tools + CLOSE.join(turns)
    return tools + CLOSE.join(turns) + CLOSE + "<assistant>"


def _tokens(text: str) -> list[int]:
    return [ord(letter) for letter in text]


async def _say(server: Server, request: web.Request, body: Json) -> web.StreamResponse:
    """TEXT from where the prompt ends in it, a few letters an event; it dies where it is told, and ends as it is told."""
    chat = request.path == "/v1/chat/completions"
    prompt = rendered(server, body) if chat else str(body["prompt"])
    said = prompt.rpartition("<assistant>")[2]
    rest = TEXT.removeprefix(said) if TEXT.startswith(said) else TEXT
    death = server.deaths.pop(0) if server.deaths else None
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for at in range(0, len(rest), 5):
        if death is not None and at >= death:
            assert request.transport is not None
            request.transport.abort()
            return response
        piece = rest[at : at + 5]
        await response.write(_event({"delta": {"content": piece}} if chat else {"text": piece}))
    if server.end == "error":
        await response.write(b'data: {"error":{"message":"CUDA error: out of memory","code":500}}\n\n')
    if server.end in ("whole", "no done"):
        await response.write(_event({"delta": {}, "finish_reason": "stop"}))
    if server.end in ("whole", "no finish"):
        usage = {"prompt_tokens": len("<s>" + prompt), "completion_tokens": len(rest)}
        await response.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
    if server.end == "reset" and request.transport is not None:
        request.transport.abort()
    return response


def _event(choice: Json) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()
