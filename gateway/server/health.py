"""Is it alive, is it ready, and which version: for people, load balancers and the `ollama` command line."""

from __future__ import annotations

from aiohttp import web

from gateway import __version__
from gateway.ports import UpstreamFailed
from gateway.server.front import Knock
from gateway.server.replies import json_reply


async def root(knock: Knock) -> web.StreamResponse:
    """GET and HEAD /: the words that Ollama's own clients look for."""
    return web.Response(text="Ollama is running")


async def live(knock: Knock) -> web.StreamResponse:
    """GET /healthz: the process answers."""
    return json_reply({"status": "ok", "version": __version__})


async def ready(knock: Knock) -> web.StreamResponse:
    """GET /readyz: every upstream's state; 503 where none can be used."""
    upstreams = {}
    for name, live_ in knock.gateway.upstreams.live.items():
        try:
            version = await live_.driver.alive()
            wait = round(live_.slots.wait(), 1)
            upstreams[name] = {"ok": True, "version": version, "url": live_.rule.url, "expected_wait_seconds": wait}
        except UpstreamFailed as error:
            upstreams[name] = {
                "ok": False,
                "trouble": f"{error.failure.kind}: {error.failure.detail}",
                "url": live_.rule.url,
            }
    fine = any(each["ok"] for each in upstreams.values())
    body = {
        "status": "ok" if fine else "unavailable",
        "upstreams": upstreams,
        "notices": knock.gateway.world.notices.all(),
    }
    return json_reply(body, status=200 if fine else 503)


async def version(knock: Knock) -> web.StreamResponse:
    """GET /api/version: that of the first Ollama behind us, so that clients know what they may ask."""
    for live_ in knock.gateway.upstreams.live.values():
        if live_.rule.driver == "ollama":
            try:
                return json_reply({"version": await live_.driver.alive(), "holdfast": __version__})
            except UpstreamFailed:
                continue
    return json_reply({"version": "0.24.0", "holdfast": __version__})
