"""The simulated Ollama: an HTTP server that plays models, scripts and faults, and writes down everything that it was asked.

async with SimulatedOllama([SimModel(name="demo", script=always("Hello"))]) as sim:
    ...  # talk to sim.url, then look at sim.requests
"""

from __future__ import annotations

from typing import Self

from aiohttp import web

from gateway.testing.api.backend import Backend
from gateway.testing.api.routes import routes

LARGEST_BODY = 1 << 30


class SimulatedOllama(Backend):
    """A server on 127.0.0.1; see Backend for how it is set up."""

    url = ""
    port = 0
    _runner: web.AppRunner | None = None

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> Self:
        """Listen; after a `stop` on the same port again, with all models out of memory."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(routes(self))
        app.on_response_prepare.append(_without_server_header)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port or self.port).start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{self.port}"
        return self

    async def stop(self) -> None:
        """Close the door and every connection; from now on they are refused."""
        for runner in self.loaded:
            self.scheduler.unload(runner.model)
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def open_connections(self) -> int:
        server = self._runner.server if self._runner else None
        return len(server.connections) if server else 0


async def _without_server_header(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)
