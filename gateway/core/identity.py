"""Which requests are the same request, and which belong to the same conversation."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from gateway.core.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and `of` whom and for whom. Equal where both are, however the JSON of it was ordered or spaced.

    To look one up costs next to nothing: only where the hashes are alike are whole conversations compared.
    """

    conversation: Conversation
    of: tuple[str, ...] = ()

    def __hash__(self) -> int:
        messages = self.conversation.messages
        return hash((self.of, self.conversation.model, len(messages), messages[-1].text if messages else ""))


def beginning(conversation: Conversation) -> str:
    """A name for a conversation that stays while it goes on, and is another for one that began otherwise."""
    hashed = blake2b(digest_size=16)
    for message in conversation.messages[:2]:
        hashed.update(f"{message.role} {len(message.text)} {message.text}".encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()
