"""Chats and completions over HTTP: the ask is checked, played, and streamed or collected on its surface."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from gateway.testing.api.exchange import Exchange
from gateway.testing.api.openai_requests import chat_body, completion_body
from gateway.testing.api.records import Records
from gateway.testing.api.surfaces import PLAIN_JSON, ChatCompletions, Completions, Native, Surface
from gateway.testing.ask import INTEGERS, Ask, chat_ask, generate_ask
from gateway.testing.faults import Point, SilentEnd
from gateway.testing.generations import ApiError
from gateway.testing.models.model import SimModel
from gateway.testing.record import Ended
from gateway.testing.runtime.engine import Begun, Event, Loaded, Rendered, Said


async def native_chat(exchange: Exchange) -> web.StreamResponse:
    """`POST /api/chat`."""
    return await _answer(exchange, chat_ask(await exchange.body()), Native())


async def native_generate(exchange: Exchange) -> web.StreamResponse:
    """`POST /api/generate`."""
    return await _answer(exchange, generate_ask(await exchange.body()), Native())


async def chat_completions(exchange: Exchange) -> web.StreamResponse:
    """`POST /v1/chat/completions`."""
    body, server = await exchange.body(), exchange.server
    surface = ChatCompletions(body, server.generation, server.dice(exchange.asked))
    return await _answer(exchange, chat_ask(chat_body(body, server.generation)), surface)


async def completions(exchange: Exchange) -> web.StreamResponse:
    """`POST /v1/completions`."""
    body, server = await exchange.body(), exchange.server
    surface = Completions(body, server.generation, server.dice(exchange.asked))
    return await _answer(exchange, generate_ask(completion_body(body)), surface)


async def _answer(exchange: Exchange, ask: Ask, surface: Surface) -> web.StreamResponse:
    server, asked = exchange.server, exchange.asked
    try:
        model = server.catalogue.find(ask.model)
        _check(model, ask)
        server.classify(asked, ask)
        await server.faults.strike(Point.ARRIVAL, exchange.scene, asked)
        answer = _Answer(exchange, ask, surface, server.records(ask, model, asked))
        async with aclosing(server.engine.answer(model, ask, asked)) as events:
            return await (answer.streamed(events) if ask.stream else answer.collected(events))
    except ApiError as error:
        exchange.failed(error)
        return await exchange.reply.whole(error.status, surface.refused(error), surface.whole_type)


def _check(model: SimModel, ask: Ask) -> None:
    """The request must suit the model."""
    if ask.think and not model.family.thinks:
        raise ApiError(400, f'"{ask.model}" does not support thinking')
    for wanted, capability in ((ask.tools, "tools"), (ask.suffix, "insert")):
        if wanted and capability not in model.capabilities:
            raise ApiError(400, f"registry.ollama.ai/library/{model.full_name} does not support {capability}")
    for option in INTEGERS:
        ask.integer(option)


@dataclass(slots=True)
class _Answer:
    """Events on their way to the client."""

    exchange: Exchange
    ask: Ask
    surface: Surface
    records: Records

    async def streamed(self, events: AsyncGenerator[Event, None]) -> web.StreamResponse:
        reply, surface, accepted = self.exchange.reply, self.surface, False
        try:
            async for event in events:
                match event:
                    case Begun():
                        accepted = True
                    case Loaded() | Rendered():
                        return await self._single(event)
                    case _:
                        await reply.write(self._line(event), surface.stream_type)
        except SilentEnd:
            self.exchange.asked.ended = Ended.SILENT
        except ApiError as error:
            if not accepted:
                raise
            self.exchange.failed(error)
            if not reply.begun:
                return await reply.whole(error.status, surface.refused(error), PLAIN_JSON, framed=False)
            await reply.write(surface.failed(error))
        return await reply.close(surface.stream_type)

    async def collected(self, events: AsyncGenerator[Event, None]) -> web.StreamResponse:
        spoken: list[Event] = []
        try:
            async for event in events:
                if isinstance(event, Loaded | Rendered):
                    return await self._single(event)
                if not isinstance(event, Begun):
                    spoken.append(event)
        except SilentEnd:
            self.exchange.asked.ended = Ended.SILENT
        return await self._whole(self.surface.whole(self.records.together(spoken)))

    async def _single(self, event: Event) -> web.StreamResponse:
        """An answer that is one record, also for a client that streams."""
        return await self._whole(self.surface.whole(self.records.of(event)))

    async def _whole(self, body: bytes) -> web.StreamResponse:
        return await self.exchange.reply.whole(200, body, self.surface.whole_type)

    def _line(self, event: Event) -> bytes:
        line = self.surface.line(self.records.of(event))
        if isinstance(event, Said) and event.garbled:
            return line[: len(line) // 2] + line[len(line.rstrip()) :]
        return line
