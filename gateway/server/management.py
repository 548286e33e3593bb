"""Ollama's management verbs. They fetch, change and delete models, so each works only where the policy names it."""

from __future__ import annotations

from contextlib import aclosing

from aiohttp import web

from gateway.core import jsontext
from gateway.core.errors import BadRequest, Code
from gateway.ports import Driver, UpstreamFailed
from gateway.server.front import Knock
from gateway.server.replies import problem_reply
from gateway.service.turn.endings import problem_of


async def manage(knock: Knock) -> web.StreamResponse:
    """POST /api/pull, push, create, copy; DELETE /api/delete: handed to the first Ollama, if policy allows the verb."""
    verb = knock.path.rpartition("/")[2]
    if verb not in knock.policy.server.management:
        raise BadRequest(
            f"{verb} is off at this gateway; ask Ollama itself, or add {verb!r} to server.management in the policy",
            code=Code.FORBIDDEN,
        )
    body = await knock.body()
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "x-holdfast-request": knock.id})
    try:
        async with aclosing(_first_ollama(knock).manage(verb, body)) as pieces:
            async for piece in pieces:
                if not response.prepared:
                    await response.prepare(knock.http)
                await response.write(piece)
    except UpstreamFailed as error:
        problem = problem_of(error.failure)
        if not response.prepared:
            return problem_reply(problem, "ollama")
        await response.write(
            jsontext.line(f"\n{jsontext.dumps({'error': problem.message})}\n")
        )  # it may have broken in a line
    if not response.prepared:
        await response.prepare(knock.http)
    await response.write_eof()
    return response


def _first_ollama(knock: Knock) -> Driver:
    for live in knock.gateway.upstreams.live.values():
        if live.rule.driver == "ollama":
            return live.driver
    raise BadRequest("none of the upstreams is an Ollama", code=Code.UNSUPPORTED)
