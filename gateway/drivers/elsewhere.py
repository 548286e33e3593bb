"""An upstream that is not at home, or models of one at home that run elsewhere, as targets behind the gate."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Try
from gateway.core.policy.cloud import CloudTarget
from gateway.core.stream import Part
from gateway.drivers.silent import Silent
from gateway.ports import Driver, UpstreamFailed


class Elsewhere(Silent):
    """The targets that `driver` answers for."""

    def __init__(self, driver: Driver, targets: Mapping[str, CloudTarget]) -> None:
        super().__init__(targets)
        self._driver = driver

    def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        if not self._rule(attempt.target.model).accepts_terms:
            words = f"{attempt.target} has terms that policy does not accept"
            raise UpstreamFailed(Failure(FailureKind.UNAUTHORIZED, words))
        return self._driver.stream(conversation, attempt)

    async def close(self) -> None:
        await self._driver.close()
