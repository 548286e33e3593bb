"""How fast each model reads and writes here, learnt from its answers; and how much of a prompt its cache still holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.core.budget import Count, Speed, learnt
from gateway.core.stream import Usage

_LOADED = 0.5  # seconds; a longer load began with an empty cache
_FAR = 4  # times slower than ever: the cache that we thought was there had gone
_TYPICAL_ANSWER = 400  # tokens; how long a slot is held is reckoned with it before anything is known


class Prompt(Protocol):
    """What a pace asks of a prompt: its text where that is known, its length, and the tokens that its answer may take."""

    @property
    def rendered(self) -> str | None: ...
    @property
    def count(self) -> Count: ...
    @property
    def room(self) -> int: ...


@dataclass(slots=True)
class Pace:
    """One model at one window. `cached` is the prompt that it read last: its KV cache holds that."""

    speed: Speed = field(default_factory=Speed)
    cached: str = ""

    def fresh_tokens(self, prompt: Prompt) -> int:
        """The tokens of a prompt that no cache holds, by the share of its text that is new."""
        rendered = prompt.rendered
        if not rendered or not self.cached:
            return prompt.count.tokens
        return round(prompt.count.tokens * (1 - shared_prefix(self.cached, rendered) / len(rendered)))

    def seconds_to_first_token(self, prompt: Prompt) -> float | None:
        """None where nothing was learnt yet."""
        return self.speed.seconds_to_first_token(self.fresh_tokens(prompt))

    def seconds(self, prompt: Prompt) -> float:
        """How long an answer will hold its slot, roughly; 0.0 where nothing was learnt yet."""
        made = min(_TYPICAL_ANSWER, prompt.room or _TYPICAL_ANSWER)
        writing = made / self.speed.answer if self.speed.answer else 0.0
        return (self.seconds_to_first_token(prompt) or 0.0) + writing

    def learn(self, prompt: Prompt, usage: Usage) -> None:
        """From the server's own times for a prompt that it has just read."""
        self.speed = learnt(
            self.speed,
            fresh_tokens=self._read(prompt, usage),
            prompt_seconds=usage.prompt_seconds,
            made=usage.completion_tokens,
            made_seconds=usage.completion_seconds,
        )
        if usage.load_seconds > _LOADED:
            self.speed = replace(self.speed, load_seconds=usage.load_seconds)
        self.cached = prompt.rendered or ""

    def _read(self, prompt: Prompt, usage: Usage) -> int:
        """The tokens that the server has just processed. Old Ollama does not tell; a cache may have gone unseen."""
        if usage.cached_tokens:
            return usage.prompt_tokens - usage.cached_tokens
        fresh = self.fresh_tokens(prompt)
        lost = usage.load_seconds > _LOADED or fresh < usage.prompt_seconds * self.speed.prompt / _FAR
        return usage.prompt_tokens if lost else fresh


@dataclass(slots=True)
class Paces:
    """The paces of one upstream's models, by model and window."""

    _known: dict[tuple[str, int | None], Pace] = field(default_factory=dict)

    def of(self, model: str, window: int | None) -> Pace:
        return self._known.setdefault((model, window), Pace())

    def known(self) -> list[tuple[str, int | None, Speed]]:
        """Every model whose speed was measured."""
        return [(model, window, pace.speed) for (model, window), pace in self._known.items() if pace.speed.prompt]


def shared_prefix(one: str, other: str) -> int:
    """Characters that two texts begin with alike; as fast as comparing them once."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
