"""What the gateway did: the record of a request, and what runs now."""

from __future__ import annotations

from aiohttp import web

from gateway.core.errors import BadRequest, Code
from gateway.server.door import is_near
from gateway.server.front import Knock
from gateway.server.replies import json_reply
from gateway.service.status import status as status_of


async def one(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/requests/{id}."""
    _only_near(knock)
    record = knock.gateway.world.journal.show(knock.tail)
    if record is None:
        raise BadRequest(
            "no record of this request is kept; the last ones are at /holdfast/requests", code=Code.NOT_FOUND
        )
    return json_reply(record)


async def latest(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/requests."""
    _only_near(knock)
    return json_reply({"requests": knock.gateway.world.journal.latest(100)})


async def status(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/status: what runs now, and how long it will still take."""
    _only_near(knock)
    return json_reply(status_of(knock.gateway))


def _only_near(knock: Knock) -> None:
    if not is_near(knock.http, knock.policy):
        raise BadRequest(
            "records are shown to this machine alone; policy may add networks to server.trusted_networks",
            code=Code.FORBIDDEN,
        )
