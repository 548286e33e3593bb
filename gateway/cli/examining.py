"""Gathers what the doctor judges: asks the servers, without making any of them generate, and reads the clients' files."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from gateway.app import driver_of
from gateway.cli import client_configs
from gateway.cli.client_configs import Found
from gateway.cli.settings import Settings
from gateway.core import jsontext
from gateway.core.diagnosis.setup import Model, Server, Setup
from gateway.core.layers import context_of
from gateway.core.memory import CACHE_TYPES, CacheType, Context, NotKnown
from gateway.core.plan import ModelFacts
from gateway.core.policy import DEFAULT_RULE, Policy
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http
from gateway.drivers.ollama_shown import generation_of
from gateway.ports import Driver, Listed, UpstreamFailed
from gateway.service.readers import dialect_of

_FILE = re.compile(r"^FROM\s+\S*sha256[-:]([0-9a-f]{64})", re.MULTILINE)
_SECRET = re.compile("KEY|TOKEN|SECRET|PASS")
_VERBOSE = 120.0  # seconds for an answer of some ten megabytes
_LOCAL_NAMES = ("localhost", "0.0.0.0", "[::1]")  # noqa: S104  # compared with, never bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks of an examination. `speed` in tokens a second (0.0: not told), `memory` in bytes."""

    folder: Path
    home: Path
    environment: Mapping[str, str]
    model: str = ""
    speed: float = 0.0
    memory: int | None = None


async def examine(settings: Settings, asked: Asked) -> Setup:
    """Everything that the doctor judges."""
    policy, environment = settings.policy, asked.environment
    aliases = {rule.match: rule.model for rule in policy.models if rule.model}
    wanted = aliases.get(asked.model, asked.model)
    looked = [await _look(name, upstream, policy, wanted, asked) for name, upstream in policy.upstreams.items()]
    servers = tuple(server for server, _ in looked)
    gateway = f"http://{policy.server.host}:{policy.server.port}"
    files = _files(asked, [gateway, *(server.url for server in servers)])
    return Setup(
        servers=servers,
        models=tuple(model for _, models in looked for model in models),
        endpoints=tuple(files.endpoints),
        claims=tuple(files.claims),
        unreadable=files.unreadable,
        environment=_ollama_settings(environment),
        aliases=aliases,
        gateway=gateway,
        memory=asked.memory,
        cache=_cache_type(environment.get("OLLAMA_KV_CACHE_TYPE", "")),
        parallel=_count(environment.get("OLLAMA_NUM_PARALLEL", "")),
        wanted=asked.model,
    )


async def _look(
    name: str, upstream: Upstream, policy: Policy, wanted: str, asked: Asked
) -> tuple[Server, Sequence[Model]]:
    """One server and those of its models that are at home and wanted."""
    server = Server(name=name, url=upstream.url, driver=upstream.driver)
    async with _connected(upstream, policy) as (driver, http):
        try:
            version = await driver.alive()
            listed = [each for each in await driver.models() if not each.away and _is_wanted(each.name, wanted)]
            loaded = {each.name: each for each in await driver.loaded()}
        except UpstreamFailed as error:
            return replace(server, trouble=_words(error)), ()
        generation = generation_of(version) if upstream.driver == "ollama" else None
        server = replace(server, version=version, generation=generation)
        models = []
        for each in listed:
            model = Model(server=name, name=each.name, loaded=loaded.get(each.name), speed=asked.speed)
            try:
                facts = await driver.describe(each.name)
                if not facts.away:
                    context = await _context(facts, server, http)
                    models.append(_known(model, each, facts, context, _rule(policy, each.name)))
            except UpstreamFailed as error:
                models.append(replace(model, chats=False, trouble=_words(error)))
    return server, models


@asynccontextmanager
async def _connected(upstream: Upstream, policy: Policy) -> AsyncIterator[tuple[Driver, Http]]:
    """The driver of an upstream, and its HTTP door for what no driver asks."""
    key = os.environ.get(upstream.key_env, "") if upstream.key_env else ""
    http = Http(upstream.url, key=key, trusted=upstream.trusted, connect=policy.timeouts.connect)
    driver = driver_of(upstream, policy)
    try:
        yield driver, http
    finally:
        await driver.close()
        await http.close()


def _words(error: UpstreamFailed) -> str:
    return f"{error.failure.kind}: {error.failure.detail}"


async def _context(facts: ModelFacts, server: Server, http: Http) -> Context | NotKnown:
    """What its layers keep. Ollama shows lists with a number for each layer only in its long answer."""
    generation, info = server.generation or "new", _info(facts.shown)
    context = context_of(info, generation=generation)
    kept_back = any(value is None and not key.startswith("tokenizer.") for key, value in info.items())
    if isinstance(context, NotKnown) and kept_back:
        body = jsontext.dump({"model": facts.name, "verbose": True})
        answer = await http.ask("POST", "/api/show", body, seconds=_VERBOSE)
        context = context_of(_info(answer), generation=generation)
    return context


def _info(shown: object) -> Mapping[str, object]:
    info = shown.get("model_info") if is_object(shown) else None
    return info if is_object(info) else {}


def _known(model: Model, listed: Listed, facts: ModelFacts, context: Context | NotKnown, rule: ModelRule) -> Model:
    """A model with all that is told of it."""
    size, file = listed.entry.get("size"), _FILE.search(str(facts.shown.get("modelfile") or ""))
    layers = facts.info.get(f"{facts.info.get('general.architecture')}.block_count")
    return replace(
        model,
        trained=facts.trained,
        configured=facts.configured,
        chosen=rule.window,
        weights=size if isinstance(size, int) else 0,
        blob=file[1] if file else "",
        layers=layers if isinstance(layers, int) else 0,
        context=context,
        dialect=dialect_of(facts, rule).name,
        parser=_parser(facts),
        reserve=rule.output_reserve,
        chats=_chats(facts),
    )


def _parser(facts: ModelFacts) -> str:
    """The parser that Ollama uses: as the Modelfile names it, its own choice for gpt-oss, or what its template teaches."""
    if facts.parser or ".ToolCalls" not in facts.template:
        return facts.parser
    return "harmony" if facts.family in ("gptoss", "gpt-oss") else "template"


def _chats(facts: ModelFacts) -> bool:
    return "completion" in facts.capabilities or "embedding" not in facts.capabilities


def _is_wanted(name: str, wanted: str) -> bool:
    return not wanted or name in (wanted, f"{wanted}:latest")


def _rule(policy: Policy, name: str) -> ModelRule:
    """The rule for a model by its server's name for it: one that gives it another name counts as well."""
    rules = (rule for rule in policy.models if (rule.model == name if rule.model else rule.matches(name)))
    return next(rules, DEFAULT_RULE)


def _files(asked: Asked, addresses: Sequence[str]) -> Found:
    """What clients' files say, of those addresses alone that are ours."""
    ours = {_place(address) for address in addresses}
    return client_configs.find(
        folder=asked.folder,
        home=asked.home,
        environment=asked.environment,
        ours=lambda address: _place(address) in ours,
    )


def _place(address: str) -> str:
    """Host and port, by one name for this machine."""
    try:
        place = urlsplit(address).netloc.lower()
    except ValueError:
        return ""
    for name in _LOCAL_NAMES:
        place = place.replace(name, "127.0.0.1")
    return place


def _ollama_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """OLLAMA_* but for secrets."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith("OLLAMA_") and not _SECRET.search(name)
    }


def _cache_type(name: str) -> CacheType:
    return next((kind for kind in CACHE_TYPES if kind == name.lower()), "f16")


def _count(text: str) -> int:
    return int(text) if text.isdigit() and int(text) > 0 else 1
