"""What a simulated model says: turns, and scripts that choose the turn from what was asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.testing.ask import Ask


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call that the model means to make."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the model. `raw` is said verbatim in place of all else, markup and mistakes included."""

    text: str = ""
    thinking: str = ""
    calls: tuple[ToolUse, ...] = ()
    raw: str = ""


Script: TypeAlias = Callable[[Ask], Turn]


def says(text: str = "", *calls: ToolUse, thinking: str = "") -> Turn:
    """A turn, written short."""
    return Turn(text=text, thinking=thinking, calls=calls)


def always(turn: Turn | str) -> Script:
    """The same turn, whatever is asked."""
    fixed = Turn(text=turn) if isinstance(turn, str) else turn
    return lambda _: fixed


def by_tool_results(*turns: Turn) -> Script:
    """An agent's task: the turn after n tool results is the n-th; the last one repeats."""
    return lambda ask: turns[min(len(ask.said_by("tool")), len(turns) - 1)]


def by_answers(*turns: Turn) -> Script:
    """A conversation: the turn after n answers of the model is the n-th; the last one repeats."""

    def choose(ask: Ask) -> Turn:
        given = sum(message.get("role") == "assistant" for message in ask.history)
        return turns[min(given, len(turns) - 1)]

    return choose


def in_order(*turns: Turn) -> Script:
    """Each generation says the next turn, whoever asks; the last one repeats."""
    return lambda ask: turns[min(max(ask.generation, 1), len(turns)) - 1]


def one_of(*turns: Turn, seed: int = 0) -> Script:
    """A sampled answer: the first turn at temperature 0, else any, the same for the same `seed` option."""

    def choose(ask: Ask) -> Turn:
        if ask.options.get("temperature") == 0:
            return turns[0]
        return random.Random(f"{seed} {ask.options.get('seed', ask.generation)}").choice(turns)  # noqa: S311

    return choose


def first_match(*cases: tuple[Callable[[Ask], bool], Script], otherwise: Script) -> Script:
    """The script of the first condition that holds: side requests (a title, a commit message) apart from the task."""

    def choose(ask: Ask) -> Turn:
        chosen: Sequence[Script] = [script for holds, script in cases if holds(ask)]
        return (chosen[0] if chosen else otherwise)(ask)

    return choose
