"""A request's place in the line before its upstream, and whether its slot is kept for what comes next."""

from __future__ import annotations

from gateway.core.admission import Ticket
from gateway.core.compaction.sides import side_request
from gateway.core.identity import beginning
from gateway.service.asked import Asked


def ticket_of(asked: Asked, *, model: str, seconds: float) -> Ticket:
    """Sessions go by the name that the client gives them, else by how the conversation begins."""
    session = asked.session or beginning(asked.conversation)
    return Ticket(
        id=asked.id,
        session=f"{asked.caller.name}/{session}",
        model=model,
        background=side_request(asked.conversation) is not None,
        seconds=seconds,
    )


def comes_back(asked: Asked, *, calls: bool) -> bool:
    """Whether its agent will ask again at once: it has calls to make, and is in the middle of its work."""
    return calls and any(message.role == "assistant" for message in asked.conversation.messages)
