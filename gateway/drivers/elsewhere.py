"""An upstream that is not at home, as a target behind the gate: what policy says of its models is all that is known of them.

Law: nothing is sent but attempts at an answer; no list, no probe, no rendering.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.policy.cloud import CloudTarget
from gateway.core.stream import Part
from gateway.ports import Driver, Embeddings, Listed, UpstreamFailed


class Elsewhere:
    """The models of `driver` that policy names as targets elsewhere."""

    modes: Sequence[Mode] = ()
    prints_control = False

    def __init__(self, driver: Driver, models: Mapping[str, CloudTarget]) -> None:
        self._driver = driver
        self._models = models

    async def alive(self) -> str:
        """Nothing is sent for that."""
        return "elsewhere"

    async def models(self) -> Sequence[Listed]:
        return [Listed(name, {"id": name, "object": "model"}, away=True) for name in self._models]

    async def describe(self, model: str) -> ModelFacts:
        rule = self._rule(model)
        return ModelFacts(
            name=model,
            trained=rule.window or None,
            configured=rule.window or None,
            capabilities=("completion", *rule.capabilities),
            away=True,
        )

    async def loaded(self) -> Sequence[Loaded]:
        return []

    async def load(self, model: str, *, window: int | None) -> None:
        """It is not in our memory."""

    async def unload(self, model: str) -> None:
        """It is not in our memory."""

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        return None

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        return None

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        return None

    def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        if not self._rule(attempt.target.model).accepts_terms:
            raise UpstreamFailed(
                Failure(FailureKind.UNAUTHORIZED, f"{attempt.target} has terms that policy does not accept")
            )
        return self._driver.stream(conversation, attempt)

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, "embeddings are made at home"))

    def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, f"models elsewhere are not ours to {verb}"))

    async def close(self) -> None:
        await self._driver.close()

    def _rule(self, model: str) -> CloudTarget:
        rule = self._models.get(model)
        if rule is None:
            raise UpstreamFailed(Failure(FailureKind.MODEL_MISSING, f"{model} is not among the targets of the policy"))
        return rule
