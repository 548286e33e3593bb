"""Whether an agent stands still: the same call with the same result again and again, or calls that change nothing. Pure.

Waiting is no standstill: a call that sleeps or polls may be made more often. Nor is asking again what has changed meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.core import jsontext
from gateway.core.conversation import Conversation, Message, ToolCall
from gateway.core.policy.circles import CircleRules


class Standing(StrEnum):
    """What to do about it: nothing, tell the model, end the task."""

    NOTHING = "nothing"
    NOTE = "note"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """The verdict. `rounds` were made of the same `steps`, whose last call was of `tool`; `idle`: they differed, and changed nothing."""

    standing: Standing = Standing.NOTHING
    rounds: int = 0
    steps: int = 1
    tool: str = ""
    idle: bool = False

    @property
    def words(self) -> str:
        """What the model is told."""
        if self.idle:
            return f"The last {self.rounds} calls of {self.tool} changed nothing. Read what is there now before you go on, or say what keeps you from it."
        what = f"the call of {self.tool}" if self.tool else "your last answer"
        return f"You have made {what} {self.rounds} times, each time with the same result. It will not change. Do something else, or say what keeps you from it."


@dataclass(frozen=True, slots=True)
class _Step:
    """An answer of the model and what came of it."""

    deed: tuple[str, ...]
    outcome: tuple[str, ...]
    tool: str
    waits: bool


_PERIODS = 4  # the most steps that one round is looked for in
_WAITING = 4  # times as many rounds for calls that wait for something
_LOOKED_AT = 400  # of the last messages: what is older says nothing of now
_WAITS = re.compile(r"\b(?:sleep|wait|poll|watch|tail -f)", re.IGNORECASE)
_TIMES = re.compile(r"\d+(?:\.\d+)? ?(?:ms|s|sec|secs|seconds)\b|\b\d\d:\d\d:\d\d(?:[.,]\d+)?")
_IDLE = re.compile(
    r"already (?:exists|done|applied|up.to.date|contains|fixed|in place|present)|no (?:changes|replacement|edits?) (?:were |was )?(?:made|performed|needed)"
    r"|nothing (?:to (?:do|commit|change)|changed)|did not appear|not found in (?:the )?file|could not find the exact|no match(?:es)? (?:was |were )?found"
    r"|old_?(?:string|str|text) (?:was )?(?:not found|and new_?(?:string|str|text) are)|are (?:identical|exactly the same)",
    re.IGNORECASE,
)
_BRIEF = 600  # characters: a longer result tells more than that nothing changed, a longer call does more than wait


def standstill(conversation: Conversation, rules: CircleRules) -> Standstill:
    """The verdict on the history of a request, since a human last spoke in it."""
    steps = _steps(conversation.messages[-_LOOKED_AT:])
    if not steps:
        return Standstill()
    found = max((_same(steps, period) for period in range(1, _PERIODS + 1)), key=lambda each: each.rounds)
    idle = _idle(steps)
    worst = idle if idle.rounds > found.rounds else found
    slack = _WAITING if steps[-1].waits else 1
    return _judged(worst, rules, slack)


def _judged(found: Standstill, rules: CircleRules, slack: int) -> Standstill:
    if found.rounds < rules.note_after * slack:
        return Standstill()
    standing = Standing.STOP if found.rounds >= rules.stop_after * slack else Standing.NOTE
    return Standstill(standing=standing, rounds=found.rounds, steps=found.steps, tool=found.tool, idle=found.idle)


def _same(steps: Sequence[_Step], period: int) -> Standstill:
    """How often the last `period` steps came in a row."""
    what = [(step.deed, step.outcome) for step in steps]
    rounds, end = 1, len(what)
    while end >= 2 * period and what[end - 2 * period : end - period] == what[-period:]:
        rounds, end = rounds + 1, end - period
    return Standstill(rounds=rounds if rounds > 1 else 0, steps=period, tool=steps[-1].tool)


def _idle(steps: Sequence[_Step]) -> Standstill:
    """How many calls of the same tool in a row changed nothing, in their results' own words."""
    tool, rounds = steps[-1].tool, 0
    for step in reversed(steps):
        if not tool or step.tool != tool or not all(len(text) <= _BRIEF and _IDLE.search(text) for text in step.outcome):
            break
        rounds += 1
    return Standstill(rounds=rounds, tool=tool, idle=True)


def _steps(messages: Sequence[Message]) -> list[_Step]:
    """The answers whose outcome is known. Where tools are called, a user's message begins anew; else it is an outcome."""
    steps: list[_Step] = []
    for answer, outcome in _pairs(messages):
        results = [message for message in outcome if message.role == "tool"]
        spoken = [message for message in outcome if message.role == "user"]
        if answer.calls and spoken:
            steps.clear()
        elif answer.calls or spoken:
            steps.append(_step(answer, results if answer.calls else spoken))
        else:
            steps.clear()
    return steps


def _pairs(messages: Sequence[Message]) -> Iterator[tuple[Message, list[Message]]]:
    """Each answer with the messages that followed it."""
    answer: Message | None = None
    outcome: list[Message] = []
    for message in messages:
        if message.role != "assistant":
            outcome.append(message)
            continue
        if answer is not None:
            yield answer, outcome
        answer, outcome = message, []
    if answer is not None:
        yield answer, outcome


def _step(answer: Message, outcome: Sequence[Message]) -> _Step:
    deed = tuple(_deed(call) for call in answer.calls) or (answer.text.strip(),)
    return _Step(
        deed=deed,
        outcome=tuple(_TIMES.sub("", message.text).strip() for message in outcome),
        tool=answer.calls[-1].name if answer.calls else "",
        waits=any(len(each) <= _BRIEF and _WAITS.search(each) for each in deed),
    )


def _deed(call: ToolCall) -> str:
    """The call as it counts: the order of its arguments does not."""
    try:
        arguments = jsontext.loads(call.arguments)
    except jsontext.NotJson:
        return f"{call.name} {call.arguments}"
    if isinstance(arguments, dict):
        arguments = {key: arguments[key] for key in sorted(arguments)}
    return f"{call.name} {jsontext.dumps(arguments)}"
