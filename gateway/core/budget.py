"""How long a prompt may be, how long it is, and how long reading it will take: arithmetic over tokens and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["exact", "calibrated", "estimated"]
SMALL_WINDOW = 15_000  # tokens; below this a coding agent works little and compacts much
PLAN_STEP = (
    1024  # compaction plans in steps of this many tokens, so that small changes of the budget do not move the prefix
)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of prompt tokens, how it was made, and by how many tokens it may be short."""

    tokens: int
    method: Method
    margin: int = 0


def output_room(window: int, *, max_tokens: int | None, reserve: int) -> int:
    """Tokens kept free for the answer: the client's `max_tokens`, else the reserve; at most a quarter of the window."""
    return min(max_tokens if max_tokens is not None else reserve, window // 4)


def prompt_budget(window: int, *, max_tokens: int | None, reserve: int, margin: int) -> int:
    """The longest prompt that may be sent, in tokens."""
    return max(0, window - output_room(window, max_tokens=max_tokens, reserve=reserve) - margin)


def plan_budget(budget: int) -> int:
    """The budget that compaction plans with: rounded down to PLAN_STEP (small windows keep what they have)."""
    return budget // PLAN_STEP * PLAN_STEP or budget


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of one model on one upstream; 0.0 where nothing was measured yet."""

    prompt: float = 0.0
    answer: float = 0.0
    load_seconds: float = 0.0

    def seconds_to_first_token(self, fresh_tokens: int) -> float | None:
        """Seconds of prompt processing for tokens that no cache holds: 146,760 at 400 a second are 367 s."""
        return fresh_tokens / self.prompt if self.prompt else None


SMALLEST_SAMPLE = 64  # tokens; a shorter prompt measures the overhead, not the speed
_NEW = 0.3  # weight of a new sample


def learnt(speed: Speed, *, fresh_tokens: int, prompt_seconds: float, made: int, made_seconds: float) -> Speed:
    """The speed after one more answer; samples too small to mean anything are left out."""
    prompt, answer = speed.prompt, speed.answer
    if fresh_tokens >= SMALLEST_SAMPLE and prompt_seconds > 0:
        prompt = _blend(prompt, fresh_tokens / prompt_seconds)
    if made >= SMALLEST_SAMPLE // 4 and made_seconds > 0:
        answer = _blend(answer, made / made_seconds)
    return Speed(prompt, answer, speed.load_seconds)


def _blend(old: float, new: float) -> float:
    return new if not old else old + _NEW * (new - old)
