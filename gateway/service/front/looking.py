"""Looking without sending: what a chat request would count, and what would be sent of it. Shapes as the design fixes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.core.conversation import Conversation, Message
from gateway.core.wire.openai_messages import message_json
from gateway.service.front.gateway import Gateway
from gateway.service.prompt.fitting import Fitted


async def input_tokens(gateway: Gateway, conversation: Conversation) -> dict[str, object]:
    """The length of the prompt, how it was counted, and the window that it is for."""
    fitted = await gateway.measured(conversation)
    return {
        "object": "response.input_tokens",
        "input_tokens": fitted.count.tokens,
        "method": fitted.count.method,
        "margin": fitted.count.margin,
        "window": fitted.window,
        "model": fitted.target.model,
    }


async def compacted(
    gateway: Gateway, conversation: Conversation, raw: Sequence[Mapping[str, object]], *, window: int | None
) -> dict[str, object]:
    """What would be sent, in `window` or the pinned one. `raw` are the client's messages: those untouched come back as they came."""
    before = await gateway.measured(conversation)
    after = await gateway.shortened(before, window=window)
    stages = after.compaction.stages if after.compaction else ()
    return {
        "messages": [_shown(message, conversation.messages, raw) for message in after.conversation.messages],
        "tokens_before": before.count.tokens,
        "tokens_after": after.count.tokens,
        "window": after.window,
        "stages": [
            {
                "stage": stage.stage,
                "tokens_before": stage.tokens_before,
                "tokens_after": stage.tokens_after,
                "messages": _places(stage.messages, before, conversation),
            }
            for stage in stages
        ],
    }


def _shown(message: Message, asked: Sequence[Message], raw: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    return next((raw[place] for place, each in enumerate(asked) if each is message), None) or message_json(message)


def _places(indices: Sequence[int], measured: Fitted, conversation: Conversation) -> list[int]:
    """Indices of the client's own messages, for indices of the mended ones."""
    places = {id(message): place for place, message in enumerate(conversation.messages)}
    mended = measured.conversation.messages
    return [places.get(id(mended[index]), index) for index in indices]
