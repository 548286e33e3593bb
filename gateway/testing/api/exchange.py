"""One request and its response: the body is read, a handler answers, and whatever is raised on the way becomes what a client sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from gateway.testing import gojson
from gateway.testing.api.backend import Backend
from gateway.testing.api.reply import Reply
from gateway.testing.api.surfaces import openai_error
from gateway.testing.ask import parse_body
from gateway.testing.faults import Severed
from gateway.testing.generations import ApiError
from gateway.testing.gojson import Json
from gateway.testing.record import Ended


class Exchange:
    """What a handler works with."""

    def __init__(self, server: Backend, request: web.Request) -> None:
        self.server = server
        self.request = request
        self.asked = server.note(request.method, request.path)
        self.scene = server.engine.scene()
        self.reply = Reply(request, self.asked, server.faults, self.scene)

    async def body(self) -> Json:
        """The request's JSON, which also goes into the record."""
        body = parse_body(await self.request.read())
        self.asked.body = body
        self.asked.model = str(body.get("model") or body.get("name") or "")
        return body

    async def json(self, value: object, *, status: int = 200) -> web.StreamResponse:
        return await self.reply.whole(status, gojson.encode(value))

    def failed(self, error: ApiError) -> None:
        """Note an error in the record."""
        self.asked.error = error.text
        self.asked.ended = Ended.ERROR

    @property
    def _openai(self) -> bool:
        return self.request.path.startswith("/v1/")

    async def refuse(self, error: ApiError) -> web.StreamResponse:
        """An HTTP error that no surface has written: bad bodies, unknown models."""
        self.failed(error)
        body = openai_error(error).rstrip() if self._openai else gojson.encode({"error": error.text})
        return await self.reply.whole(error.status, body)


Handler: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]


def played(server: Backend, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler as aiohttp wants it, its end noted in the book."""

    async def play(request: web.Request) -> web.StreamResponse:
        exchange = Exchange(server, request)
        try:
            response = await _answered(exchange, handler)
        except Severed as cut:
            exchange.asked.ended = Ended.SEVERED
            return await exchange.reply.sever(cut.how)
        except (asyncio.CancelledError, ConnectionError):
            exchange.asked.ended = Ended.LEFT
            raise
        if exchange.asked.ended is Ended.OPEN:
            exchange.asked.ended = Ended.ANSWERED
        return response

    return play


async def _answered(exchange: Exchange, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(exchange)
    except ApiError as error:
        return await exchange.refuse(error)
