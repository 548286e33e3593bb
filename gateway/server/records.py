"""What the gateway did: the record of a request, and what runs now."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from gateway.core.access import ANONYMOUS
from gateway.core.errors import BadRequest, Code
from gateway.server.front import Knock
from gateway.server.replies import json_reply
from gateway.service.front.status import status as status_of


async def one(knock: Knock) -> web.StreamResponse:
    """GET /holdfast/requests/{id}."""
    record = knock.gateway.world.journal.show(knock.tail)
    if record is not None and not _is_theirs(knock, record):
        record = None  # whose it is, is nobody else's business
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
    return json_reply(await status_of(knock.gateway))


def _is_theirs(knock: Knock, record: Mapping[str, object]) -> bool:
    """A record is for this machine, and for whoever asked with the same key."""
    return knock.caller.near or (knock.caller.name != ANONYMOUS and record.get("caller") == knock.caller.name)


def _only_near(knock: Knock) -> None:
    if not knock.caller.near:
        raise BadRequest(
            "records are shown to this machine alone; policy may add networks to server.trusted_networks",
            code=Code.FORBIDDEN,
        )
