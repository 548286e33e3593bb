"""From an understood request to its answer: streamed part by part, or whole once its outcome is known."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from aiohttp import web

from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.stream import Part
from gateway.server.front import Knock
from gateway.server.headers import known_of
from gateway.server.replies import JSON, Tongue, bytes_reply, problem_body
from gateway.server.streaming import Manner, stream
from gateway.service.asked import Asked
from gateway.service.front.flights import Flight
from gateway.service.refusal import Refusal


async def answer(
    knock: Knock,
    conversation: Conversation,
    *,
    surface: Tongue,
    manner: Manner | None,
    whole: Callable[[list[Part]], bytes],
    repaired: bool,
) -> web.StreamResponse:
    """The answer to a request; `manner` where it is to be streamed, `whole` makes the one body where it is not.

    `repaired`: something in it was no text (halves of an emoji, which agents cut) and became U+FFFD.
    """
    asked = Asked(
        id=knock.id,
        conversation=conversation,
        policy=knock.policy,
        surface=surface,
        sends=manner is not None,
        repaired=repaired,
        caller=knock.caller,
        privacy=knock.http.headers.get("x-holdfast-privacy"),
        route=knock.http.headers.get("x-holdfast-route", "").strip().lower(),
        agent=knock.agent,
        session=knock.session,
        again=knock.again,
    )
    flight = await knock.gateway.answer(asked)
    knock.flights.append(flight)
    timeouts = knock.policy.timeouts
    if manner is not None:
        return await stream(
            knock.http,
            flight,
            manner,
            headers=lambda: known_of(flight, knock.id),
            heartbeat=min(timeouts.heartbeat, timeouts.headers),  # the first one brings the headers
        )
    if knock.policy.server.early_json:
        return await _early(knock, flight, surface, whole)
    parts = await _collected(flight, timeouts.heartbeat)
    return bytes_reply(whole(parts), headers=known_of(flight, knock.id))


async def _collected(flight: Flight, heartbeat: float) -> list[Part]:
    parts: list[Part] = []
    async with aclosing(flight.follow(heartbeat)) as batches:
        async for batch in batches:
            parts.extend(batch)
    return parts


async def _early(
    knock: Knock, flight: Flight, surface: Tongue, whole: Callable[[list[Part]], bytes]
) -> web.StreamResponse:
    """White space while the answer is made: keeps impatient proxies, at the price of a status that is always 200."""
    response = web.StreamResponse(headers={"Content-Type": JSON, "x-holdfast-request": knock.id})
    await response.prepare(knock.http)
    parts: list[Part] = []
    try:
        async with aclosing(flight.follow(knock.policy.timeouts.heartbeat)) as batches:
            async for batch in batches:
                parts.extend(batch)
                if not batch:
                    await response.write(b" ")
        body = whole(parts)
    except Refusal as refusal:
        body = jsontext.dump(problem_body(refusal.problem, surface))
    await response.write(body)
    await response.write_eof()
    return response
