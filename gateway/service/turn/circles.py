"""An agent that stands still is noticed; where policy says so its model is told, and in the end its task is ended."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.conversation import Conversation, Prose
from gateway.core.errors import Code, Problem
from gateway.core.standstill import Standing, standstill
from gateway.service.account import Account
from gateway.service.asked import Asked
from gateway.service.refusal import Refusal


def attended(asked: Asked, account: Account) -> Conversation:
    """The conversation as it is to be sent, with a word to the model where that is due. Raises Refusal where it has to end."""
    rules, conversation = asked.policy.circles, asked.conversation
    if rules.agents == "off":
        return conversation
    found = standstill(conversation, rules)
    if found.standing is Standing.NOTHING:
        return conversation
    account.noticed(f"the agent stands still: {found.rounds} rounds of {found.tool or 'the same answer'}")
    if rules.agents == "warn":
        return conversation
    if found.standing is Standing.STOP:
        raise Refusal(
            Problem(
                Code.STANDSTILL,
                f"This agent goes round in circles: {found.tool or 'the same answer'} came {found.rounds} times with the same "
                "outcome. Look at what keeps it, then tell it what to do instead (policy: circles).",
            )
        )
    account.do("told_to_move_on")
    return _told(conversation, found.words)


def _told(conversation: Conversation, words: str) -> Conversation:
    """With a note at the end of its last message: a message of its own would break the order that strict templates want."""
    *before, last = conversation.messages
    noted = replace(last, content=(*last.content, Prose(f"[{words}]")))
    return replace(conversation, messages=(*before, noted))
