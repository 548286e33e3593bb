"""An answer on its way to a client: headers with the first part or after a while, heartbeats, back-pressure, one end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from aiohttp.web_request import BaseRequest

from gateway.core.errors import Problem
from gateway.core.stream import Part
from gateway.service.front.flights import Flight
from gateway.service.refusal import Refusal


class Encoder(Protocol):
    def feed(self, item: Part) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one surface streams: its media type, its encoder, its heartbeat (told the seconds still to wait, where they are known), and how it says an error inside a stream."""

    content_type: str
    encoder: Encoder
    heartbeat: Callable[[float | None], bytes]
    failure: Callable[[Problem], bytes]


async def stream(
    request: BaseRequest, flight: Flight, manner: Manner, *, headers: Callable[[], dict[str, str]], heartbeat: float
) -> web.StreamResponse:
    """Send the parts as they come. Raises Refusal where the answer failed before any header went."""
    response: web.StreamResponse | None = None
    try:
        async with aclosing(flight.follow(heartbeat)) as batches:
            async for batch in batches:
                if response is None:
                    response = await _opened(request, manner, headers())
                await response.write(
                    _encoded(batch, manner.encoder) if batch else manner.heartbeat(flight.conductor.account.expected)
                )
    except Refusal as refusal:
        if response is None:
            raise
        await response.write(manner.failure(refusal.problem))
    assert response is not None
    await response.write_eof()
    return response


async def _opened(request: BaseRequest, manner: Manner, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": manner.content_type, "Cache-Control": "no-cache", "Server": "holdfast", **headers}
    )
    await response.prepare(request)
    return response


def _encoded(batch: list[Part], encoder: Encoder) -> bytes:
    return b"".join([piece for part in batch for piece in encoder.feed(part)])
