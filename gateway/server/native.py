"""The Ollama surface that answers: /api/chat, /api/generate, /api/embed, /api/embeddings."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.errors import BadRequest, Problem
from gateway.core.wire import ollama_answer, ollama_request
from gateway.core.wire.fields import body
from gateway.ports import UpstreamFailed
from gateway.server.answering import answer
from gateway.server.embedding import embed
from gateway.server.front import Knock
from gateway.server.replies import bytes_reply, json_reply
from gateway.server.streaming import Manner
from gateway.service.refusal import Refusal
from gateway.service.turn.endings import problem_of

LINES = "application/x-ndjson"


async def chat(knock: Knock) -> web.StreamResponse:
    """POST /api/chat."""
    conversation, wish = await knock.read(ollama_request.decode_chat)
    return await _answer(knock, conversation, wish, "chat")


async def generate(knock: Knock) -> web.StreamResponse:
    """POST /api/generate."""
    conversation, wish = await knock.read(ollama_request.decode_generate)
    return await _answer(knock, conversation, wish, "generate")


async def _answer(
    knock: Knock, conversation: Conversation, wish: ollama_request.NativeWish, kind: ollama_answer.Kind
) -> web.StreamResponse:
    envelope = ollama_answer.NativeEnvelope(model=conversation.model, created_at=now(knock), kind=kind)
    if wish.load_only:
        return await _load(knock, conversation, wish, envelope)
    encoder = ollama_answer.StreamEncoder(envelope)
    manner = Manner(content_type=LINES, encoder=encoder, heartbeat=lambda _: encoder.heartbeat, failure=_failure_line)
    return await answer(
        knock,
        conversation,
        surface="ollama",
        manner=manner if wish.stream else None,
        repaired=wish.repaired,
        whole=lambda parts: ollama_answer.encode_whole(parts, envelope),
    )


def _failure_line(problem: Problem) -> bytes:
    return jsontext.line(jsontext.dumps({"error": problem.message}) + "\n")


async def _load(
    knock: Knock,
    conversation: Conversation,
    wish: ollama_request.NativeWish,
    envelope: ollama_answer.NativeEnvelope,
) -> web.StreamResponse:
    """No messages and no prompt: bring the model into memory, or free it."""
    target = (await knock.gateway.targets(conversation.model))[0]
    driver = knock.gateway.driver(target)
    try:
        if wish.unload:
            await driver.unload(target.model)
        else:
            await knock.gateway.load(target)
    except UpstreamFailed as error:
        raise Refusal(problem_of(error.failure)) from None
    said = ollama_answer.loaded_json(envelope, "unload" if wish.unload else "load")
    return bytes_reply(said) if not wish.stream else web.Response(body=said + b"\n", content_type=LINES)


async def embed_new(knock: Knock) -> web.StreamResponse:
    """POST /api/embed."""
    fields = await knock.read(body)
    model, texts = _model(fields.text("model")), fields.texts("input")
    made = await embed(knock, model, texts, fields.rest) if texts else None
    vectors = made.vectors if made else []
    return json_reply({"model": model, "embeddings": vectors, "prompt_eval_count": made.prompt_tokens if made else 0})


async def embed_old(knock: Knock) -> web.StreamResponse:
    """POST /api/embeddings, the older form with one prompt."""
    fields = await knock.read(body)
    model, prompt = _model(fields.text("model")), fields.text("prompt")
    made = await embed(knock, model, [prompt], fields.rest)
    return json_reply({"embedding": made.vectors[0] if made.vectors else []})


def _model(name: str) -> str:
    if not name:
        raise BadRequest("`model` is missing; name a model that GET /api/tags lists", param="model")
    return name


def now(knock: Knock) -> str:
    """The time in the form that Ollama writes it."""
    return datetime.fromtimestamp(knock.gateway.world.wall(), UTC).isoformat().replace("+00:00", "Z")
