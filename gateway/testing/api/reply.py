"""One HTTP response on its way out, byte by byte: framing as Go's server frames, and the faults that cut or stall the body."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from gateway.testing.faults import Cut, Faults, Scene
from gateway.testing.record import Asked

JSON = "application/json; charset=utf-8"
UNFRAMED = 2048  # bytes: a longer body has no Content-Length, since Go's server then sends before it knows the length
_TRAVEL = 0.03  # seconds for what was sent to arrive, before a reset makes the other side forget it


class Reply:
    """The response to one request. Every write may raise Severed."""

    def __init__(self, request: web.Request, asked: Asked, faults: Faults, scene: Scene) -> None:
        self._request = request
        self._asked = asked
        self._faults = faults
        self._scene = scene
        self._response: web.StreamResponse | None = None
        self._sent = 0

    @property
    def begun(self) -> bool:
        """Whether headers have gone."""
        return self._response is not None

    async def whole(
        self, status: int, body: bytes, content_type: str = JSON, *, framed: bool = True
    ) -> web.StreamResponse:
        """The response in one piece; `framed` tells its length where Go would."""
        length = len(body) if framed and len(body) <= UNFRAMED else None
        await self._open(status, content_type, length)
        await self.write(body)
        return await self.close()

    async def write(self, data: bytes, content_type: str = "") -> None:
        """More of the body; the first piece sends the headers along."""
        if self._response is None:
            await self._open(200, content_type, None)
        while found := self._faults.at_byte(self._asked, self._sent, self._sent + len(data)):
            at, strike = found
            await self._send(data[: at - self._sent])
            data = data[at - self._sent :]
            self._sent = at
            await strike(self._scene)
        await self._send(data)
        self._sent += len(data)

    async def close(self, content_type: str = "") -> web.StreamResponse:
        """The end of the body."""
        if self._response is None:
            await self._open(200, content_type, None)
        if found := self._faults.at_byte(self._asked, self._sent, self._sent + 1):
            await found[1](self._scene)
        return await self._end()

    async def sever(self, how: Cut) -> web.StreamResponse:
        """Cut the connection, or end the body here as if all were well: a body of a length told before can only be cut."""
        if how == "end" and (self._response is None or self._response.content_length is None):
            return await self._end()
        transport = self._request.transport
        if transport is not None and how == "reset":
            await asyncio.sleep(_TRAVEL if self.begun else 0)
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        elif transport is not None:
            transport.close()
        return self._response or web.Response()

    async def _open(self, status: int, content_type: str, length: int | None) -> None:
        if found := self._faults.at_byte(self._asked, -1, 0):
            await found[1](self._scene)
        headers = {"Content-Type": content_type} | ({} if length is None else {"Content-Length": str(length)})
        self._response = web.StreamResponse(status=status, headers=headers)
        self._asked.status = status
        await self._response.prepare(self._request)

    async def _send(self, data: bytes) -> None:
        if data and self._response is not None and self._request.method != "HEAD":
            await self._response.write(data)

    async def _end(self) -> web.StreamResponse:
        response = self._response or web.Response()
        await response.write_eof()
        return response
