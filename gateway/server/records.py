"""What the gateway did: the record of a request, and what runs now."""

from __future__ import annotations

from aiohttp import web

from gateway.core.errors import BadRequest, Code
from gateway.server.front import Knock
from gateway.server.replies import json_reply


async def one(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/requests/{id}."""
    record = knock.gateway.world.journal.show(knock.tail)
    if record is None:
        raise BadRequest(
            "no record of this request is kept; the last ones are at /holdfast/requests", code=Code.NOT_FOUND
        )
    return json_reply(record)


async def latest(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/requests."""
    return json_reply({"requests": knock.gateway.world.journal.latest(100)})


async def status(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/status: the requests under way."""
    return json_reply({"running": knock.gateway.world.journal.running()})
