"""What the server was asked and what became of it: the book that tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a request was, in the end."""

    GENERATION = "generation"
    RENDER = "render"
    LOAD = "load"
    UNLOAD = "unload"
    EMBEDDING = "embedding"
    OTHER = "other"


class Ended(StrEnum):
    """How it ended. OPEN: not yet."""

    OPEN = "open"
    STOP = "stop"
    LENGTH = "length"
    ANSWERED = "answered"  # anything that is not a generation
    ERROR = "error"
    SILENT = "silent"  # the stream ended without its last record
    SEVERED = "severed"  # the connection was cut by a fault
    LEFT = "left"  # the client went away


@dataclass(slots=True, eq=False)
class Asked:
    """One request. Counts are tokens; `prompt` and `said` are texts as the model saw and wrote them."""

    number: int
    method: str
    path: str
    body: Mapping[str, object] = field(default_factory=dict)
    arrived: float = 0.0
    kind: Kind = Kind.OTHER
    model: str = ""
    generation: int = 0  # the how-manieth generation, from 1; 0 for other requests
    prompt: str = ""
    prompt_tokens: int = 0
    read_anew: int = 0  # of the prompt, those that were not in the slot's cache
    window: int = 0
    loaded: bool = False  # a runner was started for it
    reloaded: bool = False  # and another one with other options was stopped
    dropped_messages: int = 0
    cut_tokens: int = 0
    said: str = ""
    said_tokens: int = 0
    shifts: int = 0  # how often half of the window was thrown away in silence
    struck: list[str] = field(default_factory=list)  # the faults that befell it
    status: int = 0
    error: str = ""
    ended: Ended = Ended.OPEN
