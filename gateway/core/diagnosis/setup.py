"""What the doctor knows of a set-up: servers, their models, the files of clients. Windows in tokens, sizes in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from gateway.core.layers import Generation
from gateway.core.memory import CacheType, Context, NotKnown
from gateway.core.plan import Loaded

Surface: TypeAlias = Literal["openai", "ollama"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An upstream. `generation` is None where its version does not tell, `trouble` is empty where it answers."""

    name: str
    url: str
    driver: Surface = "ollama"
    version: str = ""
    generation: Generation | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model on a server.

    `trained` is its own maximum, `configured` what its Modelfile or its server says, `chosen` what the policy says. `blob`
    names the file of its weights, `layers` counts its layers, `speed` is its prompt processing in tokens a second (0.0:
    not known), `reserve` what policy keeps free for an answer. `chats` is false for a model that only embeds, and for one that
    its server can't describe (`trouble`). `cache` and `parallel` are its server's settings, as far as policy or the
    environment tells them.
    """

    server: str
    name: str
    trained: int | None = None
    configured: int | None = None
    chosen: int | None = None
    loaded: Loaded | None = None
    weights: int = 0
    blob: str = ""
    layers: int = 0
    context: Context | NotKnown = field(default_factory=lambda: NotKnown("the numbers of its layers"))
    dialect: str = ""
    parser: str = ""
    speed: float = 0.0
    reserve: int = 4096
    chats: bool = True
    cache: CacheType = "f16"
    parallel: int = 1
    trouble: str = ""

    @property
    def asked(self) -> int | None:
        """The window that somebody decided on: policy, else the Modelfile."""
        return self.chosen or self.configured

    @property
    def window(self) -> int | None:
        """The window that holds, as the gateway picks it; None where only loading the model would tell."""
        window = self.asked or (self.loaded.window if self.loaded else None)
        if window is None or self.trained is None:
            return window
        return min(window, self.trained)

    @property
    def source(self) -> str:
        """Who says how long the window is."""
        return "policy" if self.chosen else "configured" if self.configured else "as loaded" if self.window else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a client's file points. `lines` correct it, with `{url}` for the right address.

    Seconds, where it sets them: `timeout` until the first byte, or between two; `total` for a whole answer.
    """

    agent: str
    file: str
    surface: Surface
    url: str
    lines: tuple[str, ...]
    timeout: float | None = None
    total: float | None = None

    def patience(self, gateway: str) -> float | None:
        """The seconds set here that a long silence may exceed; Holdfast's heartbeats leave only `total`."""
        waits = (self.total, None if self.leads_to(gateway) else self.timeout)
        return min((each for each in waits if each is not None), default=None)

    def leads_to(self, url: str) -> bool:
        """Whether it points at the same host and port as another address."""
        return bool(url) and _place(self.url) == _place(url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a client's file says of a model's window, under `key`. `lines` correct it, with `{tokens}` for the right number.

    `url` is where that model is, "" where the file does not say.
    """

    agent: str
    file: str
    key: str
    model: str
    tokens: int
    lines: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All of it. `gateway` is where Holdfast listens by its policy, `memory` what may be used for a model, if that was told.

    `aliases` are the names that policy gives to models of servers.
    """

    servers: tuple[Server, ...] = ()
    models: tuple[Model, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    claims: tuple[Claim, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    gateway: str = ""
    memory: int | None = None
    wanted: str = ""

    def model(self, name: str) -> Model | None:
        """The model that a client means by a name; `m` and `m:latest` are one."""
        name = self.aliases.get(name, name)
        names = (name, f"{name}:latest", name.removesuffix(":latest"))
        return next((model for model in self.models if model.name in names), None)

    def server_of(self, model: Model) -> Server:
        return next(server for server in self.servers if server.name == model.server)


def _place(url: str) -> str:
    return urlsplit(url).netloc.lower().replace("localhost", "127.0.0.1")
