"""How long a prompt is at its target, by the best means there are; and the prompt itself where the upstream shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.core.budget import Count
from gateway.core.conversation import Conversation, Image
from gateway.core.plan import Mode, ModelFacts, Try
from gateway.ports import Counter, Driver


@dataclass(frozen=True, slots=True)
class Measured:
    """A count; the rendered prompt, where there is one; whether the client's own prefix had to be put behind it, raw."""

    count: Count
    rendered: str | None = None
    closed_prefix: bool = False


async def measure(
    conversation: Conversation, probe: Try, *, facts: ModelFacts, driver: Driver, counter: Counter
) -> Measured:
    """Exact by the upstream's own count, or by its rendering and its vocabulary; else calibrated, else estimated."""
    told = await driver.count(conversation, probe)
    rendered = await driver.render(conversation, probe)
    if told is not None:
        return Measured(Count(told, "exact"), rendered)
    count = await _count(conversation, rendered, facts=facts, driver=driver, counter=counter)
    if rendered is None or not _is_closed(conversation, rendered) or Mode.RAW not in driver.modes:
        return Measured(count, rendered)
    before = replace(conversation, messages=conversation.messages[:-1])
    opening = await driver.render(before, probe) or ""
    return Measured(count, opening + conversation.messages[-1].text, closed_prefix=True)


async def _count(
    conversation: Conversation, rendered: str | None, *, facts: ModelFacts, driver: Driver, counter: Counter
) -> Count:
    if rendered is not None and not _has_images(conversation):
        exact = await counter.exact(rendered, model=facts.name, digest=facts.digest, driver=driver)
        if exact is not None:
            return Count(exact, "exact")
    return counter.estimate(conversation, rendered, model=facts.name)


def _has_images(conversation: Conversation) -> bool:
    return any(isinstance(part, Image) for message in conversation.messages for part in message.content)


def _is_closed(conversation: Conversation, rendered: str) -> bool:
    """Whether the conversation ends with an assistant's text that the template does not leave open."""
    last = conversation.messages[-1] if conversation.messages else None
    return (
        last is not None
        and last.role == "assistant"
        and not last.calls
        and bool(last.text)
        and not rendered.endswith(last.text)
    )
