"""An upstream that is not at home is asked for answers and for nothing else."""

from __future__ import annotations

import pytest

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.failures import FailureKind
from gateway.core.plan import Target, Try
from gateway.core.policy.cloud import CloudTarget
from gateway.core.stream import Text
from gateway.drivers.elsewhere import Elsewhere
from gateway.ports import UpstreamFailed
from tests.service.scripted import ScriptedDriver

QUESTION = Conversation(model="m", messages=(Message(role="user", content=(Prose("hello"),)),))
ATTEMPT = Try(target=Target("pod", "m"))


async def test_only_attempts_are_sent() -> None:
    behind = ScriptedDriver("Said.")
    driver = Elsewhere(behind, {"m": CloudTarget(accepts_terms=True, window=65536)})
    assert [each.away for each in await driver.models()] == [True]
    assert (await driver.describe("m")).configured == 65536
    assert await driver.render(QUESTION, ATTEMPT) is None
    assert await driver.count(QUESTION, ATTEMPT) is None
    assert await driver.vocabulary("m") is None
    await driver.load("m", window=None)
    assert not behind.attempts
    parts = [part async for batch in driver.stream(QUESTION, ATTEMPT) for part in batch]
    assert parts[0] == Text("Said.")


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ({"m": CloudTarget(window=65536)}, FailureKind.UNAUTHORIZED),
        ({"other": CloudTarget(accepts_terms=True, window=65536)}, FailureKind.MODEL_MISSING),
    ],
)
def test_what_policy_does_not_name_or_accept_is_not_asked(targets: dict[str, CloudTarget], kind: FailureKind) -> None:
    behind = ScriptedDriver("Said.")
    with pytest.raises(UpstreamFailed) as error:
        Elsewhere(behind, targets).stream(QUESTION, ATTEMPT)
    assert error.value.failure.kind is kind
    assert not behind.attempts
