"""A bare aiohttp relay: reads a body, sends it on, copies the bytes back. The floor that overhead is measured against. PORT URL."""

from __future__ import annotations

import sys

import aiohttp
import uvloop
from aiohttp import web

SESSION: list[aiohttp.ClientSession] = []


async def relay(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    if not SESSION:
        SESSION.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    async with SESSION[0].post(sys.argv[2] + request.path, data=body) as upstream:
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
        return response


if __name__ == "__main__":
    uvloop.install()
    made = web.Application(client_max_size=1 << 28)
    made.router.add_post("/{path:.*}", relay)
    web.run_app(made, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
