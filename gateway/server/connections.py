"""The listening side of aiohttp, hardened: bounded connections, deadlines for requests that trickle in, errors as JSON.

aiohttp 3.14 has no header deadline of its own and keeps a handler running after its client left, unless told otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from gateway.core.errors import Code, Problem
from gateway.core.policy import Policy
from gateway.server.replies import problem_reply

log = structlog.get_logger()

_LINGERING = 2.0  # seconds in which what a refused client still sends is taken and thrown away
_REFUSED = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
_FULL_STATUS = b"503 Service Unavailable\r\nRetry-After: 5"
_SLOW_STATUS = b"408 Request Timeout\r\nx-should-retry: false"
_FULL = b'{"error":{"message":"too many connections are open; try again in a moment","type":"server_error","code":"queue_full"}}'
_SLOW = b'{"error":{"message":"the request header did not arrive in time","type":"invalid_request_error","code":"request_too_slow"}}'


class Connection(RequestHandler):
    """One client connection, with a deadline for the header of its next request."""

    header_seconds: float = 30.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._broken, self._lost = False, asyncio.Event()
        self._wait_for_header()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._lost.set()
        self._header_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        idle = self._current_request is None and not self._messages
        super().data_received(data)
        if self._current_request is not None or self._messages:
            self._header_came()
        elif idle and self._deadline is None:
            self._wait_for_header()

    def _wait_for_header(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self.header_seconds, self._too_slow)

    def _header_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._current_request is None and not self._messages:
            turn_away(self.transport, _SLOW_STATUS, _SLOW)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """What aiohttp itself refuses (a broken header, an oversized line), in words instead of a page."""
        if status >= 500:
            log.error("the server failed", error=type(exc).__name__)  # what it says may hold content
            if request.writer.output_size:
                raise ConnectionError("an answer has begun, so that none can tell")
            reply = problem_reply(Problem(Code.INTERNAL, "the gateway itself failed; its log tells where"))
        else:
            reply = problem_reply(Problem(Code.INVALID_REQUEST, _broken(message or "")))
            self._broken = True
        reply.force_close()
        return reply

    async def finish_response(
        self, request: BaseRequest, resp: StreamResponse, start_time: float | None
    ) -> tuple[StreamResponse, bool]:
        """Also take what still comes of a broken request: closing on bytes that nobody read resets the connection, answer and all."""
        done = await super().finish_response(request, resp, start_time)
        if self._broken and self.transport is not None:
            self.close()
            self.transport.resume_reading()
            self.transport.write_eof()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGERING):
                    await self._lost.wait()
        return done


def _broken(message: str) -> str:
    """What is wrong with the HTTP of a request, in the parser's words where they say it in a line."""
    words = message.strip().splitlines()[0].rstrip(":") if message.strip() else ""
    if words.startswith("Got more than"):
        return "a line of the request's header is too long; send less, or raise limits.header_bytes in the policy"
    return f"the request is not valid HTTP{': ' if words else ''}{words}; ask with a client that writes HTTP/1.1"


def turn_away(transport: asyncio.Transport | None, status: bytes, body: bytes) -> None:
    """Answer on the bare connection and close it. (uvloop's transports are no asyncio.Transport by type, only by what they do.)"""
    if transport is not None and not transport.is_closing():
        transport.write(_REFUSED % (status, len(body), body))
        transport.close()


class Listener(web.Server):
    """Makes a Connection for each client, by the policy of that moment and up to its number of them."""

    def __init__(self, handler: object, policy: Callable[[], Policy]) -> None:
        super().__init__(
            handler,  # type: ignore[arg-type]  # aiohttp names its own alias for an async callable
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=75.0,
            lingering_time=_LINGERING,
            auto_decompress=False,
        )
        self._policy = policy

    def __call__(self) -> Connection:
        policy = self._policy()
        most = policy.limits.header_bytes
        bounds = {"max_line_size": most, "max_field_size": most}
        connection = Connection(self, loop=asyncio.get_running_loop(), **{**self._kwargs, **bounds})
        connection.header_seconds = policy.timeouts.request_body
        return connection

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self._policy().limits.connections:
            turn_away(transport, _FULL_STATUS, _FULL)
