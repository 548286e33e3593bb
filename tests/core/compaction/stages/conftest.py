"""A scene out of a few messages, all but the last of which are old."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from gateway.core.compaction.entries import Reader
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.stages.scene import Scene
from gateway.core.conversation import Message


@pytest.fixture
def scene() -> Callable[..., Scene]:
    def made(messages: Sequence[Message], rules: CompactionRules | None = None, *, young: int = 1) -> Scene:
        reader = Reader()
        live = [reader.entry(place, message, 1000) for place, message in enumerate(messages)]
        latest = max((i for i, message in enumerate(messages) if message.role == "user"), default=-1)
        return Scene(live=live, old=len(live) - young, latest=latest, rules=rules or CompactionRules())

    return made
