"""What holds for every test: no deadlines, since tests time nothing; and every count that we call exact is the server's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import settings

from gateway.core.budget import Count
from gateway.core.conversation import Conversation
from gateway.ports import Driver
from gateway.testing.generations import Generation
from gateway.testing.models.model import SimModel
from gateway.tokenizers.measuring import Measuring
from gateway.tokenizers.served_counter import ServedCounter

settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def exact_counts_are_exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Promise 1, in every test that runs a gateway before a server: of each answer, what the server says to have read."""
    differences: list[str] = []
    learn = Measuring.observe

    def observe(
        self: Measuring, conversation: Conversation, rendered: str | None, count: Count, *, model: str, actual: int
    ) -> str:
        if count.method == "exact" and count.tokens != actual:
            differences.append(f"{model}: we counted {count.tokens}, the server {actual}")
        return learn(self, conversation, rendered, count, model=model, actual=actual)

    monkeypatch.setattr(Measuring, "observe", observe)
    yield
    assert not differences


@pytest.fixture(autouse=True)
def simulated_servers_count_the_same(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same of every prompt that a simulated server reads, answered or not: both count the same text alike."""
    ours, theirs = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    count, read = ServedCounter.exact, SimModel.read

    async def exact(self: ServedCounter, prompt: str, *, model: str, digest: str, driver: Driver) -> int | None:
        found = await count(self, prompt, model=model, digest=digest, driver=driver)
        if found is not None:
            ours[prompt].add(found)
        return found

    def reads(self: SimModel, text: str, generation: Generation) -> list[int]:
        tokens = read(self, text, generation)
        theirs[text].add(len(tokens))
        return tokens

    monkeypatch.setattr(ServedCounter, "exact", exact)
    monkeypatch.setattr(SimModel, "read", reads)
    yield
    for text in ours.keys() & theirs.keys():
        assert theirs[text] <= ours[text], text
