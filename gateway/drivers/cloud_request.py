"""What a cloud is asked: made from the neutral conversation alone, so that no field of a client reaches a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from gateway.core import jsontext
from gateway.core.conversation import NOTHING, Conversation, Message, Prose, Think
from gateway.core.policy.cloud import CloudTarget
from gateway.core.spending import most_tokens
from gateway.core.wire import openai_request
from gateway.core.wire.fields import is_object
from gateway.core.wire.pairing import with_ids
from gateway.drivers.cloud_truth import Form


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that we know: its usual address, the form of its answers, whether it wants ids of nine letters and digits."""

    url: str
    form: Form
    short_ids: bool = False


PROVIDERS: Mapping[str, Provider] = {
    "gemini": Provider("https://generativelanguage.googleapis.com/v1beta", "gemini"),
    "mistral": Provider("https://api.mistral.ai/v1", "openai", short_ids=True),
    "openrouter": Provider("https://openrouter.ai/api/v1", "openai"),
}
_ALLOWED = (
    "messages",
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "max_tokens",
    "response_format",
    "reasoning_effort",
)
_EFFORTS = ("minimal", "low", "medium", "high")
_SHORT = 9


def arguments(conversation: Conversation, rule: CloudTarget, provider: Provider, *, room: int) -> dict[str, object]:
    """The arguments for an answer of at most `room` tokens (0: not known), in OpenAI's names and from a list of ours."""
    most = most_tokens(rule, asked=conversation.sampling.max_tokens, room=room)
    body = openai_request.encode(_plain(conversation, rule, provider), model="", max_tokens=most)
    said = jsontext.loads(body)
    assert is_object(said)
    return {key: said[key] for key in _ALLOWED if key in said}


def _plain(conversation: Conversation, rule: CloudTarget, provider: Provider) -> Conversation:
    """The conversation without anything that a client put beside it, and without thoughts of other models."""
    tools = conversation.tools if "tools" in rule.capabilities else ()
    return replace(
        conversation,
        messages=tuple(_plain_message(message, provider) for message in with_ids(conversation.messages)),
        tools=tuple(replace(tool, extra=NOTHING) for tool in tools),
        think=_effort(conversation.think) if "thinking" in rule.capabilities else None,
        options=NOTHING,
        extra=NOTHING,
    )


def _effort(think: Think) -> Think:
    """Clouds know efforts, no switch; a word that they don't know would be refused."""
    return "medium" if think is True else next((each for each in _EFFORTS if each == think), None)


def _plain_message(message: Message, provider: Provider) -> Message:
    return replace(
        message,
        content=tuple(Prose(part.text) for part in message.content if isinstance(part, Prose)),
        thinking="",
        calls=tuple(replace(call, id=_id(call.id, provider), extra=NOTHING) for call in message.calls),
        answers=_id(message.answers, provider),
        extra=NOTHING,
    )


def _id(given: str, provider: Provider) -> str:
    """An id that the provider takes; the same for the same."""
    if not given or not provider.short_ids or (len(given) == _SHORT and given.isascii() and given.isalnum()):
        return given
    return blake2b(given.encode("utf-8", "replace"), digest_size=8).hexdigest()[:_SHORT]
