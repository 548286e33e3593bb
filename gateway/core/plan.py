"""What will be tried: targets, what is known of their models, and the shape of one attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Target:
    """A model on an upstream, by the names that these use."""

    upstream: str
    model: str

    def __str__(self) -> str:
        return f"{self.upstream}/{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What an upstream tells of a model. Windows in tokens, None where it does not say.

    `trained` is the model's own maximum, `configured` what its Modelfile or its server's setting asks for.
    `info` holds the plain numbers of the model file (`<arch>.block_count` and so on), without the vocabulary.
    """

    name: str
    digest: str = ""
    family: str = ""
    trained: int | None = None
    configured: int | None = None
    template: str = ""
    renderer: str = ""
    parser: str = ""
    capabilities: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    info: Mapping[str, object] = field(default_factory=dict)
    size_bytes: int = 0
    away: bool = False  # it runs elsewhere (Ollama's cloud models)
    shown: Mapping[str, object] = field(default_factory=dict)  # the upstream's own words, for `/api/show`


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model in memory, as `/api/ps` tells it. `share` is the part of it that is on the GPU, 0.0 to 1.0."""

    name: str
    window: int | None = None
    size_bytes: int = 0
    vram_bytes: int = 0
    entry: Mapping[str, object] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return self.vram_bytes / self.size_bytes if self.size_bytes else 1.0


class Mode(StrEnum):
    """How an attempt joins what the client already has. Declared, never guessed from an overlap."""

    FRESH = "fresh"  # the first attempt, or nothing was delivered yet
    PREFILL = "prefill"  # a trailing assistant message that the template leaves open
    RAW = "raw"  # the rendered prompt and everything received, without a template
    REPLAY = "replay"  # the whole answer anew, compared with what was sent from its first character
    REMAKE = "remake"  # raw from the end of the visible text: the tool calls alone are made again, and read by us
    SCHEMA = "schema"  # one tool call as JSON, held to its tool's schema by the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt at a turn. `window` is pinned, `num_predict` the most tokens to make; 0 or None leave it to the upstream.

    `thought` and `text` are what a PREFILL goes on from; `prompt` is what a RAW or REMAKE attempt sends, `text` the part of
    it that the model wrote; `output` is the JSON Schema of a SCHEMA attempt.
    """

    target: Target
    mode: Mode = Mode.FRESH
    window: int | None = None
    num_predict: int = 0
    verbatim: bool = False
    after: float = 0.0
    thought: str = ""
    text: str = ""
    prompt: str = ""
    output: Mapping[str, object] | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    keep_alive: object = None
