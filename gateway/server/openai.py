"""The OpenAI surface: chat completions, text completions, embeddings."""

from __future__ import annotations

from aiohttp import web

from gateway.core.wire import openai_answer, openai_request, openai_text
from gateway.server.answering import answer
from gateway.server.embedding import embed
from gateway.server.front import Knock
from gateway.server.replies import json_reply
from gateway.server.streaming import Encoder, Manner

EVENTS = "text/event-stream; charset=utf-8"


async def chat(knock: Knock) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    conversation, wish = await knock.read(openai_request.decode)
    envelope = _envelope(knock, "chatcmpl", conversation.model, wish)
    return await answer(
        knock,
        conversation,
        surface="openai",
        manner=_streamed(openai_answer.StreamEncoder(envelope)) if wish.stream else None,
        repaired=wish.repaired,
        whole=lambda parts: openai_answer.encode_whole(parts, envelope),
    )


async def complete(knock: Knock) -> web.StreamResponse:
    """POST /v1/completions."""
    conversation, wish = await knock.read(openai_text.decode)
    envelope = _envelope(knock, "cmpl", conversation.model, wish)
    return await answer(
        knock,
        conversation,
        surface="openai",
        manner=_streamed(openai_text.StreamEncoder(envelope)) if wish.stream else None,
        repaired=wish.repaired,
        whole=lambda parts: openai_text.encode_whole(parts, envelope),
    )


async def embeddings(knock: Knock) -> web.StreamResponse:
    """POST /v1/embeddings."""
    wish = await knock.read(openai_text.decode_embedding)
    made = await embed(knock, wish.model, wish.texts, wish.extra)
    return json_reply(openai_text.embedding_json(wish, made.vectors, made.prompt_tokens))


def _streamed(encoder: Encoder) -> Manner:
    return Manner(
        content_type=EVENTS,
        encoder=encoder,
        heartbeat=openai_answer.heartbeat,
        failure=openai_answer.problem_event,
    )


def _envelope(knock: Knock, kind: str, model: str, wish: openai_request.Wish) -> openai_answer.Envelope:
    return openai_answer.Envelope(
        id=f"{kind}-{knock.id}",
        created=int(knock.gateway.world.wall()),
        model=model,
        usage=wish.usage,
        thought=knock.policy.server.reasoning_field,
    )
