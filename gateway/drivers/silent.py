"""The half of a driver for targets that are not at home: it sends nothing, and tells what policy says of the models.

Law: nothing is sent but attempts at an answer; no list, no probe, no rendering.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.policy.cloud import CloudTarget
from gateway.ports import Embeddings, Listed, UpstreamFailed


class Silent:
    """Everything but `stream` and `close`, for the `targets` that policy names, by model."""

    modes: Sequence[Mode] = ()
    prints_control = False

    def __init__(self, targets: Mapping[str, CloudTarget]) -> None:
        self._targets = targets

    async def alive(self) -> str:
        """Nothing is sent for that."""
        return "elsewhere"

    async def models(self) -> Sequence[Listed]:
        return [Listed(name, {"id": name, "object": "model"}, away=True) for name in self._targets]

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

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, "embeddings are made at home"))

    def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, f"models elsewhere are not ours to {verb}"))

    def _rule(self, model: str) -> CloudTarget:
        """What policy says of a model. Raises UpstreamFailed where it names none such."""
        rule = self._targets.get(model)
        if rule is None:
            raise UpstreamFailed(Failure(FailureKind.MODEL_MISSING, f"{model} is not among the targets of the policy"))
        return rule
