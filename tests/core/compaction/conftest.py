"""A size for messages that needs no vocabulary: one token for four characters, four for the template's frame."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.conversation import Message


@pytest.fixture
def size() -> Callable[[Message], int]:
    def tokens(message: Message) -> int:
        inside = [message.text, message.thinking, *(call.arguments for call in message.calls)]
        return 4 + sum(-(-len(text) // 4) for text in inside) + 256 * len(message.images)

    return tokens
