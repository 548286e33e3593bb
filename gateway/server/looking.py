"""The OpenAI surface for looking without sending: input_tokens and compacted, beside /v1/chat/completions."""

from __future__ import annotations

from aiohttp import web

from gateway.core.conversation import Conversation
from gateway.core.errors import BadRequest
from gateway.core.wire import openai_request
from gateway.core.wire.fields import Fields, body, is_object
from gateway.server.front import Knock
from gateway.server.replies import json_reply
from gateway.service.front import looking


async def input_tokens(knock: Knock) -> web.StreamResponse:
    """POST /v1/chat/completions/input_tokens."""
    conversation, _ = await knock.read(openai_request.decode)
    return json_reply(await looking.input_tokens(knock.gateway, conversation), headers=knock.said)


async def compacted(knock: Knock) -> web.StreamResponse:
    """POST /v1/chat/completions/compacted."""
    fields, conversation = await knock.read(_wished)
    window = fields.integer("window")
    if window is not None and window < 1:
        raise BadRequest("`window` is below 1; send a number of tokens", param="window")
    raw = fields.rest.get("messages")
    messages = [each for each in raw if is_object(each)] if isinstance(raw, list) else []
    return json_reply(await looking.compacted(knock.gateway, conversation, messages, window=window), headers=knock.said)


def _wished(data: bytes) -> tuple[Fields, Conversation]:
    return body(data), openai_request.decode(data)[0]
