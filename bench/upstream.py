"""The cheapest upstream that an Ollama driver is content with: fixed answers, no model. Run as a process: PORT."""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from aiohttp import web

EVENTS = 200
MODEL = "bench"


def _line(text: str) -> bytes:
    return (
        json.dumps(
            {"model": MODEL, "created_at": "t", "message": {"role": "assistant", "content": text}, "done": False}
        ).encode()
        + b"\n"
    )


LAST = (
    json.dumps(
        {
            "model": MODEL,
            "created_at": "t",
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 20,
            "eval_count": EVENTS,
        }
    ).encode()
    + b"\n"
)
SSE = [
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":{"content":"token %d "},"finish_reason":null}]}\n\n'
    % n
    for n in range(EVENTS)
]


async def chat(request: web.Request) -> web.StreamResponse:
    """`/api/chat` and `/v1/chat/completions`: two tokens, or EVENTS where the prompt asks for a stream; `paced` sleeps between."""
    body = await request.read()
    native = request.path.startswith("/api")
    if b"_debug_render_only" in body:
        return web.json_response({"_debug_info": {"rendered_template": "x" * (len(body) // 2)}})
    many, paced = b"stream please" in body, b"paced please" in body
    response = web.StreamResponse()
    await response.prepare(request)
    for n in range(EVENTS if many or paced else 2):
        await response.write(_line(f"token {n} ") if native else SSE[n])
        if paced:
            await asyncio.sleep(0.005)
    await response.write(LAST if native else b"data: [DONE]\n\n")
    return response


async def tags(_: web.Request) -> web.Response:
    return web.json_response({"models": [{"name": MODEL, "model": MODEL, "digest": "d", "size": 1}]})


async def show(_: web.Request) -> web.Response:
    info = {"general.architecture": "qwen2", "qwen2.context_length": 262144}
    return web.json_response(
        {"model_info": info, "parameters": "num_ctx 262144", "capabilities": ["completion", "tools"]}
    )


def app() -> web.Application:
    made = web.Application(client_max_size=1 << 28)
    made.router.add_post("/api/chat", chat)
    made.router.add_post("/v1/chat/completions", chat)
    made.router.add_get("/api/tags", tags)
    made.router.add_post("/api/show", show)
    made.router.add_get("/api/version", lambda _: _version())
    made.router.add_get("/api/ps", lambda _: _ps())
    return made


async def _version() -> web.Response:
    return web.json_response({"version": "0.24.0"})


async def _ps() -> web.Response:
    return web.json_response({"models": []})


if __name__ == "__main__":
    uvloop.install()
    web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
