"""What becomes of an agent that stands still: noticed by default; told, and then ended, where policy says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.conversation import Conversation, Message, Prose, ToolCall
from gateway.core.errors import Code
from gateway.core.events import Noticed
from gateway.core.policy import Policy
from gateway.core.policy.circles import CircleRules
from gateway.service.account import Account
from gateway.service.asked import Asked
from gateway.service.refusal import Refusal
from gateway.service.turn.circles import attended
from tests.service.scripted import Journal, world


def agent(rounds: int) -> Conversation:
    messages = [Message(role="user", content=(Prose("Fix it."),))]
    for number in range(rounds):
        call = ToolCall(id=f"c{number}", name="edit", arguments='{"path":"a.py"}')
        messages.append(Message(role="assistant", calls=(call,)))
        messages.append(Message(role="tool", answers=f"c{number}", content=(Prose("old text not found"),)))
    return Conversation(model="m", messages=tuple(messages))


def attend(rounds: int, **rules: object) -> tuple[Conversation, Account, Journal]:
    journal = Journal()
    policy = replace(Policy(), circles=replace(CircleRules(), **rules))  # type: ignore[arg-type]
    asked = Asked(id="r", conversation=agent(rounds), policy=policy, surface="openai", sends=True)
    account = Account("r", world(journal))
    return attended(asked, account), account, journal


@pytest.mark.parametrize("agents", ["warn", "act"])
def test_three_rounds_are_nothing(agents: str) -> None:
    said, account, journal = attend(3, agents=agents)
    assert said == agent(3)
    assert not account.did
    assert not journal.events


def test_by_default_it_is_only_noticed() -> None:
    said, account, journal = attend(50)
    assert said == agent(50)
    assert not account.did
    assert [type(event) for event in journal.events] == [Noticed]


def test_the_model_is_told_at_the_end_of_what_it_reads_last() -> None:
    said, account, _ = attend(5, agents="act")
    assert said.messages[:-1] == agent(5).messages[:-1]
    assert said.messages[-1].text.startswith("old text not found\n[")
    assert account.did == ["told_to_move_on"]


def test_in_the_end_the_task_is_ended() -> None:
    with pytest.raises(Refusal) as error:
        attend(12, agents="act")
    assert error.value.problem.code is Code.STANDSTILL


def test_off_is_off() -> None:
    said, _, journal = attend(50, agents="off")
    assert said == agent(50)
    assert not journal.events
