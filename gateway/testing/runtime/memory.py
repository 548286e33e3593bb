"""What was rendered lately, so that a raw prompt that continues one of those texts is known for the conversation that it is."""

from __future__ import annotations

from collections import OrderedDict

from gateway.testing.ask import Ask
from gateway.testing.runtime.fitting import Prompt

ROOM = 64


class Memory:
    """Rendered prompts and what they were rendered from. A script chooses by the conversation, also for `raw` requests."""

    def __init__(self) -> None:
        self._asks: OrderedDict[str, Ask] = OrderedDict()

    def keep(self, text: str, ask: Ask) -> None:
        if ask.raw:
            return
        self._asks[text] = ask
        self._asks.move_to_end(text)
        if len(self._asks) > ROOM:
            self._asks.popitem(last=False)

    def recall(self, prompt: Prompt) -> Ask:
        """The conversation that a raw prompt goes on with; a prompt that nothing is known of is a user's message."""
        if not prompt.ask.raw:
            return prompt.ask
        known = [text for text in self._asks if prompt.text.startswith(text)]
        if known:
            return self._asks[max(known, key=len)]
        return Ask(
            surface="chat",
            model=prompt.ask.model,
            messages=({"role": "user", "content": prompt.text},),
            options=prompt.ask.options,
            think=prompt.ask.think,
        )
