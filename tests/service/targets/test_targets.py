"""What one target can't do, the next is asked for, as long as the client has nothing yet."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.errors import Code
from gateway.core.events import Moved
from gateway.core.failures import FailureKind
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream
from gateway.core.stream import Did, Part, Stop, StopReason, Text
from gateway.service.asked import Asked
from gateway.service.refusal import Refusal
from gateway.service.turn.conductor import Conductor
from tests.service.scripted import Death, Journal, ScriptedDriver, conductor_of, world

POLICY = Policy(upstreams={"first": Upstream(), "second": Upstream(url="http://127.0.0.1:11435")})
SAID = "Nothing changed, nothing at all."


def conductor(first: ScriptedDriver, second: ScriptedDriver, *, sends: bool = True) -> tuple[Conductor, Journal]:
    journal = Journal()
    said = Conversation(model="m", messages=(Message(role="user", content=(Prose("hello"),)),))
    asked = Asked(id="r", conversation=said, policy=POLICY, surface="openai", sends=sends)
    made = conductor_of(asked, {"first": first, "second": second}, world(journal))
    return made, journal


async def play(made: Conductor) -> list[Part]:
    async with aclosing(made.run()) as batches:
        return [part async for batch in batches for part in batch]


def dies(after: int, kind: FailureKind = FailureKind.CRASHED) -> ScriptedDriver:
    return ScriptedDriver(SAID, deaths=[Death(after, kind)] * 9, modes=())


async def test_the_next_one_answers() -> None:
    made, journal = conductor(dies(0), ScriptedDriver(SAID))
    parts = await play(made)
    assert "".join(part.text for part in parts if isinstance(part, Text)) == SAID
    assert parts[-1] == Stop(StopReason.STOP)
    assert Did(("retried", "rerouted")) in parts
    assert [(event.target, event.why) for event in journal.events if isinstance(event, Moved)] == [
        ("second/m", Code.UPSTREAM_FAILED)
    ]


async def test_one_that_refuses_is_left_at_once() -> None:
    first = dies(0, FailureKind.REFUSED)
    await play(conductor(first, ScriptedDriver(SAID))[0])
    assert len(first.attempts) == 1


async def test_what_was_sent_is_not_gone_on_with_by_another() -> None:
    second = ScriptedDriver("Something else.")
    parts = await play(conductor(dies(10), second)[0])
    assert "".join(part.text for part in parts if isinstance(part, Text)) == SAID[:10]
    assert parts[-1] == Stop(StopReason.LENGTH)
    assert not second.attempts


async def test_a_client_that_gets_nothing_before_the_end_gets_the_whole_of_another() -> None:
    parts = await play(conductor(dies(10), ScriptedDriver("Something else."), sends=False)[0])
    assert "".join(part.text for part in parts if isinstance(part, Text)) == "Something else."


async def test_where_the_next_one_brings_nothing_it_gets_what_the_first_brought() -> None:
    parts = await play(conductor(dies(10), dies(0, FailureKind.REFUSED), sends=False)[0])
    assert "".join(part.text for part in parts if isinstance(part, Text)) == SAID[:10]
    assert parts[-1] == Stop(StopReason.LENGTH)


async def test_where_all_fail_the_last_ones_error_is_told() -> None:
    first, second = dies(0), dies(0, FailureKind.OUT_OF_MEMORY)
    with pytest.raises(Refusal) as error:
        await play(conductor(first, second)[0])
    assert error.value.problem.code is Code.OUT_OF_MEMORY
    assert len(first.attempts) + len(second.attempts) <= POLICY.recovery.per_request
