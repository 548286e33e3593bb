"""Policy: rules for models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Literal

from gateway.core.policy.section import section


@section
class ModelRule:
    """What holds for the models that a pattern matches."""

    match: str
    """A pattern over the model name that the client sends: `*` any text, `?` one character, `[ab]` one of these."""

    upstream: str = ""
    """The upstream that serves it. Empty: the first in order that has it."""

    model: str = ""
    """The name it has there. Empty: the name that the client sent."""

    window: int | None = None
    """The context window in tokens, pinned on every request (`num_ctx`). Empty: the Modelfile's, else what the server loads."""

    memory: str = ""
    """Memory that it may take, like "24GiB", weights included. Where no window is set, the largest that fits is used; where
    one is set, a larger one that fits is used from then on when a request can't do with it (a reload)."""

    output_reserve: int = 4096
    """Tokens kept free for the answer where the client sets no `max_tokens`; never more than a quarter of the window."""

    options: Mapping[str, object] = field(default_factory=dict)
    """Ollama options sent with every request (temperature, num_gpu, …). What the client sends wins, but for those that reload the model."""

    keep_alive: str | int | None = None
    """How long Ollama keeps it loaded: seconds, or like "30m"; -1 for ever. Empty: Ollama's own setting."""

    think: bool | str | None = None
    """Thinking where the client does not say: true, false or an effort. Empty: the model's own default."""

    dialect: str = "auto"
    """How it writes tool calls as text. `auto`: told by its family and template, else recognised at the first marker."""

    verbatim: Literal["auto", "on", "off"] = "auto"
    """Ask Ollama for log-probabilities, whose tokens show what its parser drops. `auto`: where its parser is known to."""

    preload: bool = False
    """Load it when the gateway starts."""

    reading_tools: tuple[str, ...] = ()
    """Tools that only read, beyond those whose names say so. All others count as tools that write or run."""

    def matches(self, model: str) -> bool:
        return fnmatchcase(model, self.match)
