"""Which path does what: the routes of the simulated Ollama, and the small ones among their handlers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiohttp import web

from gateway.testing import gojson
from gateway.testing.api.answering import chat_completions, completions, native_chat, native_generate
from gateway.testing.api.backend import Backend
from gateway.testing.api.embeddings import embed, embeddings, openai_embeddings
from gateway.testing.api.exchange import Exchange, Handler, played
from gateway.testing.api.reply import JSON
from gateway.testing.api.surfaces import PLAIN_JSON, openai_error
from gateway.testing.faults import Point
from gateway.testing.generations import ApiError


def routes(server: Backend) -> list[web.RouteDef]:
    """Every path of the server, and the refusal for all others."""
    return [
        *(web.route(method, path, played(server, handler)) for method, path, handler in _PATHS),
        web.route("*", "/{rest:.*}", played(server, _unknown)),
    ]


def _simple(handler: Handler) -> Handler:
    """A handler that no model answers; faults may strike it where they are told to."""

    async def handle(exchange: Exchange) -> web.StreamResponse:
        await exchange.server.faults.strike(Point.ARRIVAL, exchange.scene, exchange.asked)
        return await handler(exchange)

    return handle


async def _greeting(exchange: Exchange) -> web.StreamResponse:
    return await exchange.reply.whole(200, b"Ollama is running", "text/plain; charset=utf-8")


async def _unknown(exchange: Exchange) -> web.StreamResponse:
    """Go's router: doubled slashes are sent to the clean path, a known path with another method gets 405."""
    raw = exchange.request.raw_path
    clean = re.sub("/+", "/", raw)
    if clean != raw:
        return web.Response(status=307, headers={"Location": clean})
    known = any(path == clean for _, path, _ in _PATHS)
    status, text = (405, b"405 method not allowed") if known else (404, b"404 page not found")
    return await exchange.reply.whole(status, text, "text/plain")


async def _version(exchange: Exchange) -> web.StreamResponse:
    return await exchange.json({"version": exchange.server.generation.version})


async def _tags(exchange: Exchange) -> web.StreamResponse:
    return await exchange.json(exchange.server.catalogue.tags())


async def _ps(exchange: Exchange) -> web.StreamResponse:
    server = exchange.server
    return await exchange.json(server.catalogue.running(server.loaded, server.time_of_day))


async def _show(exchange: Exchange) -> web.StreamResponse:
    body = await exchange.body()
    name = str(body.get("model") or body.get("name") or "")
    return await exchange.json(exchange.server.catalogue.show(name, verbose=body.get("verbose") is True))


async def _openai_models(exchange: Exchange) -> web.StreamResponse:
    body = gojson.encode(exchange.server.catalogue.listed()) + b"\n"
    return await exchange.reply.whole(200, body, PLAIN_JSON)


async def _openai_model(exchange: Exchange) -> web.StreamResponse:
    try:
        card = exchange.server.catalogue.retrieved(exchange.request.match_info["id"])
    except ApiError as error:
        exchange.failed(error)
        return await exchange.reply.whole(error.status, openai_error(error), PLAIN_JSON)
    return await exchange.reply.whole(200, gojson.encode(card) + b"\n", PLAIN_JSON)


async def _pull(exchange: Exchange) -> web.StreamResponse:
    name = await _named(exchange)
    try:
        digest = exchange.server.catalogue.find(name).digest
    except ApiError:
        raise ApiError(500, "pull model manifest: file does not exist") from None
    return await _statuses(exchange, "pulling manifest", f"pulling {digest[:12]}", "verifying sha256 digest", "success")


async def _push(exchange: Exchange) -> web.StreamResponse:
    exchange.server.catalogue.find(await _named(exchange))
    return await _statuses(exchange, "retrieving manifest", "pushing manifest", "success")


async def _create(exchange: Exchange) -> web.StreamResponse:
    name, body = await _named(exchange), exchange.asked.body
    exchange.server.catalogue.copy(str(body.get("from") or ""), name, parameters=body.get("parameters"))
    return await _statuses(exchange, "using existing layer", "writing manifest", "success")


async def _copy(exchange: Exchange) -> web.StreamResponse:
    body = await exchange.body()
    exchange.server.catalogue.copy(str(body.get("source") or ""), str(body.get("destination") or ""))
    return await exchange.reply.whole(200, b"", JSON)


async def _delete(exchange: Exchange) -> web.StreamResponse:
    exchange.server.catalogue.delete(await _named(exchange))
    return await exchange.reply.whole(200, b"", JSON)


async def _named(exchange: Exchange) -> str:
    body = await exchange.body()
    return str(body.get("model") or body.get("name") or "")


async def _statuses(exchange: Exchange, *statuses: str) -> web.StreamResponse:
    """Progress, a line for each step; only the last one where the client does not stream."""
    if exchange.asked.body.get("stream") is False:
        return await exchange.json({"status": statuses[-1]})
    for status in statuses:
        await exchange.reply.write(gojson.encode({"status": status}) + b"\n", "application/x-ndjson")
    return await exchange.reply.close()


_PATHS: Sequence[tuple[str, str, Handler]] = (
    ("POST", "/api/chat", native_chat),
    ("POST", "/api/generate", native_generate),
    ("POST", "/api/embed", embed),
    ("POST", "/api/embeddings", embeddings),
    ("POST", "/v1/chat/completions", chat_completions),
    ("POST", "/v1/completions", completions),
    ("POST", "/v1/embeddings", openai_embeddings),
    ("GET", "/", _simple(_greeting)),  # GET answers HEAD too, in aiohttp
    ("GET", "/api/version", _simple(_version)),
    ("GET", "/api/tags", _simple(_tags)),
    ("GET", "/api/ps", _simple(_ps)),
    ("POST", "/api/show", _simple(_show)),
    ("POST", "/api/pull", _simple(_pull)),
    ("POST", "/api/push", _simple(_push)),
    ("POST", "/api/create", _simple(_create)),
    ("POST", "/api/copy", _simple(_copy)),
    ("DELETE", "/api/delete", _simple(_delete)),
    ("GET", "/v1/models", _simple(_openai_models)),
    ("GET", "/v1/models/{id:.+}", _simple(_openai_model)),
)
