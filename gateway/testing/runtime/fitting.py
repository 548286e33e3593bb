"""What happens to a prompt that is longer than the window: Ollama's table of `truncate`, `shift`, generation and path.

Law: nothing is cut unless Ollama would cut it, and what is cut stands in the record.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.testing.ask import Ask
from gateway.testing.generations import Cause, Generation
from gateway.testing.models.model import SimModel
from gateway.testing.record import Asked

PICTURE = 768  # tokens that Ollama reckons for an image
KEPT = 4  # num_keep: tokens at the beginning that survive every cut


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model gets to read, and the ask with the messages that are left."""

    ask: Ask
    text: str
    tokens: Sequence[int]

    def __len__(self) -> int:
        """Its length in tokens, pictures included."""
        return len(self.tokens)


def fit(ask: Ask, model: SimModel, generation: Generation, asked: Asked) -> Prompt:
    """The prompt for this window. Raises ApiError where Ollama refuses."""
    prompt, window = shown(ask, model, generation, asked), asked.window
    asked.prompt, asked.prompt_tokens = prompt.text, len(prompt)
    if _fits(prompt, generation, window):
        return prompt
    if not ask.truncate or model.family.native:
        raise generation.error(Cause.OVERFLOW, tokens=len(prompt), window=window)
    if generation.new and not ask.shift:
        raise generation.error(Cause.LAST_TOO_LONG)
    cut = _beheaded(prompt, model, window - (window - KEPT) // 2 if generation.new else window)
    asked.cut_tokens = len(prompt) - len(cut)
    asked.prompt, asked.prompt_tokens = cut.text, len(cut)
    return cut


def shown(ask: Ask, model: SimModel, generation: Generation, asked: Asked) -> Prompt:
    """The prompt as `_debug_render_only` gives it: without the oldest messages, unless the client forbade that."""
    if ask.truncate and not ask.raw and ask.messages:
        prompt = _without_oldest(ask, model, generation, asked.window)
        asked.dropped_messages = len(ask.messages) - len(prompt.ask.messages)
        return prompt
    return rendered(ask, model, generation)


def rendered(ask: Ask, model: SimModel, generation: Generation) -> Prompt:
    """The prompt as the format writes it, or the client's own in raw mode."""
    text = ask.prompt if ask.raw or ask.suffix else model.render(ask)
    return Prompt(ask, text, [*model.read(text, generation), *[0] * (PICTURE * ask.images)])


def _fits(prompt: Prompt, generation: Generation, window: int) -> bool:
    return len(prompt) <= window if generation.answers_to_full_window else len(prompt) < window


def _without_oldest(ask: Ask, model: SimModel, generation: Generation, window: int) -> Prompt:
    """As many messages as fit; the oldest go first, never a system message nor the last one: in silence, as Ollama does."""

    def without(dropped: int) -> Prompt:
        kept = tuple(m for n, m in enumerate(ask.messages) if n >= dropped or m["role"] == "system")
        return rendered(replace(ask, messages=kept), model, generation)

    last = len(ask.messages) - 1
    fewest = bisect.bisect_left(range(last), True, key=lambda dropped: len(without(dropped)) <= window)
    return without(fewest)


def _beheaded(prompt: Prompt, model: SimModel, size: int) -> Prompt:
    """The first few tokens and the tail, `size` in all: in silence, as Ollama does."""
    tokens = [*prompt.tokens[:KEPT], *prompt.tokens[len(prompt.tokens) - max(0, size - KEPT) :]]
    return Prompt(prompt.ask, model.family.vocabulary.decode(tokens), tokens)
