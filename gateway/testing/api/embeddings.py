"""Embeddings: vectors that are a function of the text, over `/api/embed`, `/api/embeddings` and `/v1/embeddings`."""

from __future__ import annotations

import hashlib
import math
import random

from aiohttp import web

from gateway.testing import gojson
from gateway.testing.api.exchange import Exchange
from gateway.testing.api.openai_requests import embed_body
from gateway.testing.api.surfaces import PLAIN_JSON
from gateway.testing.ask import Ask, duration
from gateway.testing.faults import Point
from gateway.testing.generations import ApiError
from gateway.testing.gojson import Json
from gateway.testing.models.model import SimModel
from gateway.testing.record import Kind

SIZE = 64  # numbers in a vector


async def embed(exchange: Exchange) -> web.StreamResponse:
    """`POST /api/embed`."""
    return await exchange.json(await _embedded(exchange, await exchange.body()))


async def embeddings(exchange: Exchange) -> web.StreamResponse:
    """`POST /api/embeddings`, the old one: one text, a vector that is not normalised."""
    body = await exchange.body()
    made = await _embedded(exchange, {**body, "input": body.get("prompt") or ""})
    vectors = made["embeddings"]
    first = vectors[0] if isinstance(vectors, list) and vectors else []
    return await exchange.json({"embedding": [round(number * 8, 6) for number in first]})


async def openai_embeddings(exchange: Exchange) -> web.StreamResponse:
    """`POST /v1/embeddings`."""
    body = await exchange.body()
    made = await _embedded(exchange, embed_body(body))
    vectors, tokens = made["embeddings"], made["prompt_eval_count"]
    listed = vectors if isinstance(vectors, list) else []
    data = [{"object": "embedding", "embedding": vector, "index": n} for n, vector in enumerate(listed)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer = {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage}
    return await exchange.reply.whole(200, gojson.encode(answer) + b"\n", PLAIN_JSON)


async def _embedded(exchange: Exchange, body: Json) -> Json:
    server, asked = exchange.server, exchange.asked
    model = server.catalogue.find(str(body.get("model") or ""))
    asked.kind = Kind.EMBEDDING
    await server.faults.strike(Point.ARRIVAL, exchange.scene, asked)
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    options = body.get("options")
    ask = Ask(
        surface="generate",
        model=model.name,
        options=options if isinstance(options, dict) else {},
        keep_alive=duration(body.get("keep_alive")),
    )

    async def on_load(window: int) -> None:
        await server.faults.strike(Point.LOAD, exchange.scene, asked, window)

    async with server.scheduler.use(model, ask, asked, on_load) as runner:
        counts = [len(model.read(str(text), server.generation)) for text in texts]
        if body.get("truncate") is False and any(count > runner.window for count in counts):
            raise ApiError(400, "the input length exceeds the context length")
        asked.prompt_tokens = sum(counts)
    size = body.get("dimensions") or SIZE
    return {
        "model": str(body["model"]),
        "embeddings": [_vector(model, str(text), int(str(size))) for text in texts],
        "total_duration": 1_000_000,
        "load_duration": 100_000,
        "prompt_eval_count": asked.prompt_tokens,
    }


def _vector(model: SimModel, text: str, size: int) -> list[float]:
    """Of length 1, the same for the same text."""
    dice = random.Random(hashlib.sha256(f"{model.name} {text}".encode()).digest())  # noqa: S311
    numbers = [dice.gauss(0.0, 1.0) for _ in range(size)]
    length = math.sqrt(sum(number * number for number in numbers))
    return [round(number / length, 6) for number in numbers]
