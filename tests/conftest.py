"""What holds for every test: no deadlines, since tests time nothing; and every count that we call exact is the server's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from gateway.core.budget import Count
from gateway.core.conversation import Conversation
from gateway.tokenizers.measuring import Measuring

settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def exact_counts_are_exact(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Promise 1, in every test that runs a gateway before a server, but for those marked `miscounts`: their server cuts prompts."""
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
    if request.node.get_closest_marker("miscounts") is None:
        assert not differences
