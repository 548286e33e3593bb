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
    """An answer of the model and what came of it: the results of its calls, or what was said to it."""

    answer: Message
    outcome: Sequence[Message]

    @property
    def tool(self) -> str:
        return self.answer.calls[-1].name if self.answer.calls else ""

    @property
    def deeds(self) -> tuple[str, ...]:
        return tuple(call.arguments for call in self.answer.calls) or (self.answer.text,)


_PERIODS = 4  # the most steps that one round is looked for in
_WAITING = 4  # times as many rounds for calls that wait for something
_LOOKED_AT = 200  # of the last messages: what is older says nothing of now
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
    waits = any(len(deed) <= _BRIEF and _WAITS.search(deed) for deed in steps[-1].deeds)
    slack = _WAITING if waits else 1
    return _judged(worst, rules, slack)


def _judged(found: Standstill, rules: CircleRules, slack: int) -> Standstill:
    if found.rounds < rules.note_after * slack:
        return Standstill()
    standing = Standing.STOP if found.rounds >= rules.stop_after * slack else Standing.NOTE
    return Standstill(standing=standing, rounds=found.rounds, steps=found.steps, tool=found.tool, idle=found.idle)


def _same(steps: Sequence[_Step], period: int) -> Standstill:
    """How often the last `period` steps came in a row."""
    alike = 0
    while alike + period < len(steps) and _alike(steps[-1 - alike], steps[-1 - alike - period]):
        alike += 1
    return Standstill(rounds=1 + alike // period, steps=period, tool=steps[-1].tool)


def _alike(one: _Step, other: _Step) -> bool:
    """The same was done with the same outcome. What is cheap to compare comes first: results may be long."""
    if one.tool != other.tool or len(one.outcome) != len(other.outcome):
        return False
    if one.deeds != other.deeds and _plain(one) != _plain(other):
        return False
    return all(_same_text(a.text, b.text) for a, b in zip(one.outcome, other.outcome, strict=True))


def _same_text(one: str, other: str) -> bool:
    return one == other or _TIMES.sub("", one).strip() == _TIMES.sub("", other).strip()


def _plain(step: _Step) -> tuple[str, ...]:
    """What was done as it counts: the order of its arguments does not."""
    return tuple(map(_deed, step.answer.calls)) or (step.answer.text.strip(),)


def _idle(steps: Sequence[_Step]) -> Standstill:
    """How many calls of the same tool in a row changed nothing, in their results' own words."""
    tool, rounds = steps[-1].tool, 0
    for step in reversed(steps):
        texts = [message.text for message in step.outcome]
        if not tool or step.tool != tool or not all(len(text) <= _BRIEF and _IDLE.search(text) for text in texts):
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
            steps.append(_Step(answer, results if answer.calls else spoken))
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


def _deed(call: ToolCall) -> str:
    """The call as it counts: the order of its arguments does not."""
    try:
        arguments = jsontext.loads(call.arguments)
    except jsontext.NotJson:
        return f"{call.name} {call.arguments}"
    if isinstance(arguments, dict):
        arguments = {key: arguments[key] for key in sorted(arguments)}
    return f"{call.name} {jsontext.dumps(arguments)}"
