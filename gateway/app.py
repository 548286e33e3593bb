"""The composition root: a policy becomes a wired gateway. The one list of surfaces and drivers."""

from __future__ import annotations

import asyncio
import os
import secrets
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from gateway.config.secret_rules import BadRules, rules_under
from gateway.core.access import Keyring
from gateway.core.policy import Policy
from gateway.core.policy.cloud import KEY_ENVS
from gateway.core.policy.upstreams import Upstream
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.rule import Unusable
from gateway.drivers.elsewhere import Elsewhere
from gateway.drivers.http import Http
from gateway.drivers.litellm_cloud import LiteLLMCloud
from gateway.drivers.ollama import Ollama
from gateway.drivers.openai_compat import OpenAICompatible
from gateway.ports import Counter, Driver, Journal, Store
from gateway.scanning.engine import compiled
from gateway.server import health, listing, looking, management, native, openai, records
from gateway.server.front import Front, Route
from gateway.service.front.gateway import Gateway
from gateway.service.front.joined import Joined
from gateway.service.prompt.fitting import Fitting
from gateway.service.prompt.summaries import Summarising
from gateway.service.targets.away import Away
from gateway.service.targets.leaving import Leaving
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.world import World
from gateway.store.database import Database
from gateway.store.ledger import SQLiteLedger
from gateway.store.secret import key_for, secret_in
from gateway.store.sqlite import SQLiteStore
from gateway.telemetry.audit import AuditLog
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
_LETTER_OF = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))


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
        new_id=lambda: secrets.token_bytes(20).translate(_LETTER_OF).decode(),
        wall=time.time,
        store=store,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives a policy: counters, money, summaries, the audit, and the secret of the house."""

    world: World
    counter: Counter
    database: Database
    audit: AuditLog
    secret: bytes
    summaries: Summarising

    async def close(self) -> None:
        """Once nothing is served any more."""
        await self.summaries.close()
        await self.database.close()
        self.audit.close()


def keeping(state: Path, *, records: int) -> Kept:
    """What is kept in a state directory, which is made where there is none. Raises OSError where it can't be used."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = secret_in(state)
    database = Database(state / "holdfast.sqlite")
    journal, store = Recorder(keep=records, wall=time.time), SQLiteStore(database)
    return Kept(
        world=world_of(journal, store),
        counter=Measuring(VocabularyShelf(state / "vocabularies")),
        database=database,
        audit=AuditLog(state, key=key_for("audit", secret), wall=time.time),
        secret=secret,
        summaries=Summarising(store, journal),
    )


def leaving_under(policy: Policy, kept: Kept) -> Leaving | None:
    """The privacy gate at work; None where nothing may leave anyway."""
    if not policy.privacy.leave:
        return None
    try:
        matcher = compiled(rules_under(policy.privacy))
    except BadRules as error:
        matcher = Unusable(f"the detection rules can't be used: {error}")
    if isinstance(matcher, Unusable):
        kept.world.notices.tell("privacy", f"nothing leaves the house: {matcher.reason}")
    else:
        kept.world.notices.clear("privacy")
    gate = Gate(policy.privacy, matcher, key=key_for("taints", kept.secret), now=kept.world.clock.now)
    return Leaving(gate, rules=policy.privacy, taints=kept.world.store, world=kept.world)


def away_drivers(policy: Policy) -> dict[str, Driver]:
    """A driver for each provider, and each upstream of the policy, that has targets elsewhere; none sends anything by itself."""
    found: dict[str, Driver] = {}
    for provider, models in policy.cloud.by_provider().items():
        upstream = policy.upstreams.get(provider)
        if upstream is not None:
            found[provider] = Elsewhere(driver_of(replace(upstream, trusted=True), policy), models)
            continue
        keys = {name: os.environ.get(target.key_env or KEY_ENVS[provider], "") for name, target in models.items()}
        found[provider] = LiteLLMCloud(provider, models, keys=keys, timeouts=policy.timeouts)
    return found


def build(policy: Policy, kept: Kept) -> Gateway:
    """A gateway for a policy, ready to serve."""
    world = kept.world
    drivers = {name: driver_of(upstream, policy) for name, upstream in policy.upstreams.items()}
    upstreams = Upstreams(drivers, policy, world, away=away_drivers(policy))
    return Gateway(
        policy=policy,
        upstreams=upstreams,
        fitting=Fitting(upstreams, kept.counter, kept.summaries),
        joined=Joined(world),
        world=world,
        away=Away(
            rules=policy.cloud,
            leaving=leaving_under(policy, kept),
            ledger=SQLiteLedger(kept.database),
            audit=kept.audit,
            world=world,
            policy_hash=sha256(repr(policy).encode()).hexdigest()[:16],
        ),
        keyring=Keyring(policy.keys, {name: os.environ.get(key.key_env, "") for name, key in policy.keys.items()}),
    )


class Assembly:
    """A front with its gateway, and the way to put another policy there."""

    def __init__(self, policy: Policy, *, state: Path) -> None:
        self._kept = keeping(state, records=policy.limits.records)
        self.front = Front(build(policy, self._kept), ROUTES)
        self._retired: set[asyncio.Task[None]] = set()

    def replace(self, policy: Policy, *, waiting: Sequence[str] = ()) -> None:
        """From the next request on, this policy holds; those under way keep the one that they began with.

        `waiting` names the keys that were changed too, and hold from the next start on.
        """
        old, self.front.gateway = self.front.gateway, build(policy, self._kept)
        self.front.gateway.upstreams.inherit(old.upstreams)
        self.front.gateway.start()
        task = asyncio.get_running_loop().create_task(old.retire())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
        if waiting:
            words = f"the policy was changed; {', '.join(waiting)} will hold from the next start of the gateway on"
            self._kept.world.notices.tell("start", words)
        else:
            self._kept.world.notices.clear("start")

    def complain(self, words: str) -> None:
        """Tell that a changed policy was not taken; "": it is mended."""
        notices = self._kept.world.notices
        if words:
            notices.tell("policy", words)
        else:
            notices.clear("policy")

    async def close(self) -> None:
        """Once nothing is served any more."""
        await self.front.gateway.close()
        await self._kept.close()


def assemble(policy: Policy, *, state: Path) -> Assembly:
    """Everything that `holdfast serve` runs; `state` is where what is kept lives. Raises OSError where it can't be used."""
    return Assembly(policy, state=state)
