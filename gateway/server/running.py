"""The listening socket and its life: start, serve, drain, stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import structlog
from aiohttp import web

from gateway.core.errors import Code, Problem
from gateway.core.policy import Policy
from gateway.server.connections import Listener
from gateway.server.front import Front

log = structlog.get_logger()
_LAST_WORDS = 2.0  # seconds for answers that are cut to say so


def loopback(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Running:
    """A gateway that listens. `close` ends what stands behind it, once nothing is served any more."""

    def __init__(self, front: Front, policy: Policy, *, close: Callable[[], Awaitable[None]]) -> None:
        self.front = front
        self._close = close
        self._policy = policy
        self._runner: web.ServerRunner | None = None
        self._hurry = asyncio.Event()
        self.port = policy.server.port

    @property
    def url(self) -> str:
        """Where people on this machine reach it."""
        host = self._policy.server.host
        return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{self.port}"  # noqa: S104  # compared with

    async def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        server = self._policy.server
        self._runner = web.ServerRunner(
            Listener(self.front.serve, lambda: self.front.gateway.policy), shutdown_timeout=_LAST_WORDS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, server.host, server.port, backlog=512)
        await site.start()
        self.port = next(iter(self._runner.addresses))[1]
        self.front.gateway.start()
        log.info("listening", url=self.url)

    async def until_told(self) -> None:
        """Serve until SIGINT or SIGTERM; then let running answers end, and close. A second signal waits for none."""
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, lambda: self._hurry.set() if told.is_set() else told.set())
        await told.wait()
        await self.stop()

    async def stop(self) -> None:
        """No new requests; running ones may end within the time to drain, the rest is told that it was cut."""
        self.front.draining = True
        drain = self._policy.timeouts.drain
        log.info("stopping", under_way=self.front.under_way, seconds_to_drain=drain)
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()
            await self._drained(drain)
            log.info("stopped", cut=self.front.under_way)
            self.front.end(
                Problem(Code.SHUTTING_DOWN, "the gateway was stopped in the middle of this answer; ask anew")
            )
            await self._runner.cleanup()
        await self._close()

    async def _drained(self, seconds: float) -> None:
        """Until nothing is under way, the time is up, or somebody is in a hurry."""
        ends = [asyncio.ensure_future(each) for each in (self.front.quiet(), self._hurry.wait())]
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in ends:
            each.cancel()
