"""The composition root: a policy becomes a wired gateway. The one list of surfaces and drivers."""

from __future__ import annotations

import asyncio
import os
import secrets
import string
import time
from pathlib import Path
from random import Random

from gateway.core.access import Keyring
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream
from gateway.drivers.http import Http
from gateway.drivers.ollama import Ollama
from gateway.drivers.openai_compat import OpenAICompatible
from gateway.ports import Counter, Driver, Journal, Store
from gateway.server import health, listing, looking, management, native, openai, records
from gateway.server.front import Front, Route
from gateway.service.fitting import Fitting
from gateway.service.gateway import Gateway
from gateway.service.joined import Joined
from gateway.service.upstreams import Upstreams
from gateway.service.world import World
from gateway.store.database import Database
from gateway.store.sqlite import SQLiteStore
from gateway.telemetry.recorder import Recorder
from gateway.tokenizers.measuring import Measuring
from gateway.tokenizers.shelf import VocabularyShelf

ROUTES = [
    *(Route("POST", f"{base}/chat/completions", "openai", openai.chat) for base in ("/v1", "")),
    *(Route("POST", f"{base}/chat/completions/input_tokens", "openai", looking.input_tokens) for base in ("/v1", "")),
    *(Route("POST", f"{base}/chat/completions/compacted", "openai", looking.compacted) for base in ("/v1", "")),
    *(Route("POST", f"{base}/completions", "openai", openai.complete) for base in ("/v1", "")),
    *(Route("POST", f"{base}/embeddings", "openai", openai.embeddings) for base in ("/v1", "")),
    *(Route("GET", f"{base}/models", "openai", listing.models) for base in ("/v1", "")),
    *(Route("GET", f"{base}/models/*", "openai", listing.model) for base in ("/v1", "")),
    *(Route("GET", f"{base}/model/info", "openai", listing.model_info) for base in ("/v1", "")),
    Route("POST", "/api/chat", "ollama", native.chat),
    Route("POST", "/api/generate", "ollama", native.generate),
    Route("POST", "/api/embed", "ollama", native.embed_new),
    Route("POST", "/api/embeddings", "ollama", native.embed_old),
    Route("GET", "/api/tags", "ollama", listing.tags),
    Route("GET", "/api/ps", "ollama", listing.ps),
    Route("POST", "/api/show", "ollama", listing.show),
    Route("GET", "/api/version", "ollama", health.version),
    *(Route("POST", f"/api/{verb}", "ollama", management.manage) for verb in ("pull", "push", "create", "copy")),
    Route("DELETE", "/api/delete", "ollama", management.manage),
    Route("GET", "/", "ollama", health.root),
    Route("GET", "/healthz", "openai", health.live),
    Route("GET", "/readyz", "openai", health.ready),
    Route("GET", "/holdfast/requests", "openai", records.latest),
    Route("GET", "/holdfast/requests/*", "openai", records.one),
    Route("GET", "/holdfast/status", "openai", records.status),
]

_LETTERS = string.ascii_lowercase + "01236789"  # ids hold no digits that a client takes for a status


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)


def driver_of(upstream: Upstream, policy: Policy) -> Driver:
    """The driver for an upstream, with its key from the environment."""
    http = Http(
        upstream.url,
        key=os.environ.get(upstream.key_env, "") if upstream.key_env else "",
        trusted=upstream.trusted,
        connect=policy.timeouts.connect,
        probe=policy.timeouts.probe,
    )
    match upstream.driver:
        case "ollama":
            return Ollama(http)
        case "openai":
            return OpenAICompatible(http)


def world_of(journal: Journal, store: Store) -> World:
    """The machine's own clock and dice."""
    dice = Random(secrets.randbits(64))  # noqa: S311  # jitter, no secret
    return World(
        clock=SystemClock(),
        journal=journal,
        dice=dice.random,
        new_id=lambda: "".join(secrets.choice(_LETTERS) for _ in range(20)),
        wall=time.time,
        store=store,
    )


def build(policy: Policy, *, world: World, counter: Counter) -> Gateway:
    """A gateway for a policy, ready to serve."""
    drivers = {name: driver_of(upstream, policy) for name, upstream in policy.upstreams.items()}
    upstreams = Upstreams(drivers, policy, world)
    return Gateway(
        policy=policy,
        upstreams=upstreams,
        fitting=Fitting(upstreams, counter),
        joined=Joined(world),
        world=world,
        keyring=Keyring(policy.keys, {name: os.environ.get(key.key_env, "") for name, key in policy.keys.items()}),
    )


class Assembly:
    """A front with its gateway and what outlives a policy: journal, counters, store; and the way to put another policy there."""

    def __init__(self, policy: Policy, *, state: Path) -> None:
        journal = Recorder(keep=policy.limits.records, wall=time.time)
        self._database = Database(state / "holdfast.sqlite")
        self._world = world_of(journal, SQLiteStore(self._database))
        self._counter = Measuring(VocabularyShelf(state / "vocabularies"))
        self.front = Front(self._build(policy), ROUTES)
        self._retired: set[asyncio.Task[None]] = set()

    def _build(self, policy: Policy) -> Gateway:
        return build(policy, world=self._world, counter=self._counter)

    def replace(self, policy: Policy) -> None:
        """From the next request on, this policy holds; those under way keep the one that they began with."""
        old, self.front.gateway = self.front.gateway, self._build(policy)
        self.front.gateway.upstreams.inherit(old.upstreams)
        self.front.gateway.start()
        task = asyncio.get_running_loop().create_task(old.retire())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def complain(self, words: str) -> None:
        """Tell that a changed policy was not taken; "": it is mended."""
        if words:
            self._world.notices.tell("policy", words)
        else:
            self._world.notices.clear("policy")

    async def close(self) -> None:
        """Once nothing is served any more."""
        await self.front.gateway.close()
        await self._database.close()


def assemble(policy: Policy, *, state: Path) -> Assembly:
    """Everything that `holdfast serve` runs; `state` is where what is kept lives."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Assembly(policy, state=state)
