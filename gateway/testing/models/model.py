"""A simulated model: which family it is of, how large and how fast, and what it says."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.testing.ask import Ask, Think
from gateway.testing.generations import Generation
from gateway.testing.gojson import Json
from gateway.testing.models.constraining import constrained
from gateway.testing.models.dialects import DIALECTS, Dialect
from gateway.testing.models.engines import LLAMA_CPP, OLD_OLLAMA, Engine
from gateway.testing.models.formats import FORMATS, Format
from gateway.testing.models.utterance import remainder
from gateway.testing.models.vocabulary import PRE, Vocabulary, vocabulary
from gateway.testing.script import Script, Turn, always


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What models of one kind share: architecture, prompt format, dialect, and Ollama's parser for them ("" for none)."""

    architecture: str
    shape: Format
    dialect: Dialect
    parser: str = ""
    thinks: bool = False
    native: bool = False  # llama-server renders the chat itself (new generation, models with a GGUF template only)
    pre: str = PRE

    @property
    def vocabulary(self) -> Vocabulary:
        return vocabulary(self.dialect.control, self.dialect.user_defined, self.pre)

    def engine(self, generation: Generation) -> Engine:
        """What reads the prompts of its models."""
        own = None if generation.new else OLD_OLLAMA.get(self.architecture)
        return own or LLAMA_CPP[self.pre]


def _family(
    architecture: str,
    shape: str,
    dialect: str,
    parser: str,
    *,
    thinks: bool = False,
    native: bool = False,
    pre: str = PRE,
) -> Family:
    return Family(
        architecture=architecture,
        shape=FORMATS[shape],
        dialect=DIALECTS[dialect],
        parser=parser,
        thinks=thinks,
        native=native,
        pre=pre,
    )


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "qwen2.5-coder": _family("qwen2", "chatml", "hermes", "template"),
        "qwen3": _family("qwen3", "qwen3", "hermes", "qwen3-thinking", thinks=True),
        "qwen3-coder": _family("qwen3moe", "qwen3-coder", "qwen3-coder", "qwen3-coder"),
        "qwen3.5": _family("qwen35moe", "qwen3.5", "qwen3-coder", "qwen3.5", thinks=True),
        "glm-4.7": _family("glm4moelite", "glm-4.7", "glm-4.7", "glm-4.7", thinks=True, pre="glm4"),
        "gpt-oss": _family("gptoss", "harmony", "harmony", "harmony", thinks=True, pre="gpt-4o"),
        "devstral": _family("mistral3", "mistral", "mistral", "ministral", pre="tekken"),
        "deepseek-v3.1": _family("deepseek2", "deepseek-v3.1", "deepseek-v3.1", "deepseek3", thinks=True),
        "gemma4": _family("gemma4", "gemma4", "gemma4", "gemma4", thinks=True),
        "llama3": _family("llama", "chatml", "llama3-json", "", pre="llama-bpe"),
        # The same text without a parser of the server's: what a gateway gets to read where Ollama has none.
        "raw-hermes": _family("qwen2", "chatml-open", "hermes", ""),
        "raw-xml": _family("qwen3moe", "chatml-open", "qwen3-coder", ""),
        "raw-glm": _family("glm4moe", "glm-4.7", "glm-4.7", "", pre="glm4"),
        "native": _family("qwen2", "chatml-open", "qwen3-coder", "", native=True),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimModel:
    """One model of the server. Speeds are tokens a second; `window` is what it was trained for; memory in GiB.

    Two names with the same `blob` share one runner, as Ollama tags of one GGUF file do.
    """

    name: str = "demo"
    family: Family = FAMILIES["qwen3-coder"]
    script: Script = field(default=always("Hello, world"))
    window: int = 32_768
    parameters: Mapping[str, object] = field(default_factory=dict)  # PARAMETER lines of the Modelfile
    system: str = ""
    tools: bool = True
    vision: bool = False
    insert: bool = False
    size_gib: float = 4.4
    kv_gib: float = 0.06  # of a thousand tokens of window
    load_seconds: float = 0.0
    prompt_speed: float = math.inf
    speed: float = math.inf
    blob: str = ""
    remote_host: str = ""  # a model that this server passes on to the cloud
    remote_model: str = ""

    @property
    def full_name(self) -> str:
        return self.name if ":" in self.name else f"{self.name}:latest"

    @property
    def key(self) -> str:
        return self.blob or self.full_name

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"simulated {self.full_name}".encode()).hexdigest()

    @property
    def capabilities(self) -> list[str]:
        has = {"tools": self.tools, "vision": self.vision, "insert": self.insert, "thinking": self.family.thinks}
        return ["completion", *(name for name, there in has.items() if there)]

    @property
    def details(self) -> Json:
        family = self.family.architecture
        return {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": "7.6B",
            "quantization_level": "Q4_K_M",
        }

    def memory(self, window: int, parallel: int) -> float:
        """GiB that a runner with this window takes."""
        return self.size_gib + self.kv_gib * window * parallel / 1000

    def think(self, ask: Ask) -> Think:
        """Whether it thinks in this turn; None where it has no such choice."""
        if not self.family.thinks:
            return None
        return True if ask.think is None else ask.think

    def render(self, ask: Ask) -> str:
        """The prompt of a chat, or of a generate request that is not raw."""
        messages = ask.messages or ({"role": "user", "content": ask.prompt},)
        system = ask.system or self.system
        if system and messages[0]["role"] != "system":
            messages = ({"role": "system", "content": system}, *messages)
        return self.family.shape.render(messages, ask.tools, self.think(ask), self.family.dialect)

    def read(self, text: str, generation: Generation) -> list[int]:
        """The tokens that a server of this generation makes of a text."""
        return self.family.vocabulary.encode(text, self.family.engine(generation))

    def count(self, text: str) -> int:
        return self.family.vocabulary.count(text)

    def speaks(self, ask: Ask, prompt: str) -> str:
        """All that it would still say to this prompt."""
        turn: Turn = self.script(ask)
        if ask.format:
            turn = constrained(turn, ask.format)
        return remainder(prompt, turn, self.family.shape, self.family.dialect, self.think(ask))
