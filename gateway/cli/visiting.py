"""One server as the doctor meets it: does it answer, which models does it have, what does it tell of each."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gateway.app import driver_of
from gateway.core import jsontext
from gateway.core.diagnosis.setup import Model, Server
from gateway.core.layers import context_of
from gateway.core.memory import CacheType, Context, NotKnown, largest_window, parse_size
from gateway.core.plan import ModelFacts
from gateway.core.policy import DEFAULT_RULE, Policy
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http
from gateway.drivers.ollama_shown import generation_of
from gateway.ports import Driver, Listed, UpstreamFailed
from gateway.service.prompt.readers import dialect_of

_FILE = re.compile(r"^FROM\s+\S*sha256[-:]([0-9a-f]{64})", re.MULTILINE)
_VERBOSE = 120.0  # seconds for an answer of some ten megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What holds for all servers: the one model that is `wanted` ("" for all), speeds, and what the environment sets."""

    wanted: str = ""
    speed: Callable[[str, str], float] = lambda _upstream, _model: 0.0
    cache: CacheType | None = None
    parallel: int | None = None

    def wants(self, name: str) -> bool:
        return not self.wanted or name in (self.wanted, f"{self.wanted}:latest")


async def visit(name: str, upstream: Upstream, policy: Policy, manner: Manner) -> tuple[Server, Sequence[Model]]:
    """One server and those of its models that are at home and wanted."""
    server = Server(name=name, url=upstream.url, driver=upstream.driver)
    async with _connected(upstream, policy) as (driver, http):
        try:
            version = await driver.alive()
            listed = [each for each in await driver.models() if not each.away and manner.wants(each.name)]
            loaded = {each.name: each for each in await driver.loaded()}
        except UpstreamFailed as error:
            return replace(server, trouble=_words(error)), ()
        if upstream.driver == "ollama":
            server = replace(server, version=version, generation=generation_of(version))
        blank = Model(
            server=name,
            name="",
            cache=manner.cache or upstream.kv_cache,
            parallel=manner.parallel or upstream.slots,
        )
        models = []
        for each in listed:
            model = replace(blank, name=each.name, loaded=loaded.get(each.name), speed=manner.speed(name, each.name))
            try:
                facts = await driver.describe(each.name)
                context = await _context(facts, server, http)
            except UpstreamFailed as error:
                models.append(replace(model, chats=False, trouble=_words(error)))
            else:
                models += [] if facts.away else [_told(model, each, facts, context, _rule(policy, each.name))]
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
    return error.failure.detail.replace(" ssl:default", "")  # aiohttp names it for plain HTTP, too


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


def _told(model: Model, listed: Listed, facts: ModelFacts, context: Context | NotKnown, rule: ModelRule) -> Model:
    """A model with all that its server and policy tell of it."""
    size, file = listed.entry.get("size"), _FILE.search(str(facts.shown.get("modelfile") or ""))
    layers = facts.info.get(f"{facts.info.get('general.architecture')}.block_count")
    model = replace(
        model,
        trained=facts.trained,
        configured=facts.configured,
        weights=size if isinstance(size, int) else 0,
        blob=file[1] if file else "",
        layers=layers if isinstance(layers, int) else 0,
        context=context,
        dialect=dialect_of(facts, rule).name,
        parser=_parser(facts),
        reserve=rule.output_reserve,
        chats="completion" in facts.capabilities or "embedding" not in facts.capabilities,
    )
    return replace(model, chosen=rule.window or _fitting(model, rule))


def _fitting(model: Model, rule: ModelRule) -> int | None:
    """The window that policy's `memory` comes to."""
    memory = parse_size(rule.memory)
    if memory is None or isinstance(model.context, NotKnown) or model.trained is None or not model.weights:
        return None
    fits = largest_window(
        model.context,
        memory=memory,
        weights=model.weights,
        kind=model.cache,
        parallel=model.parallel,
        most=model.trained,
    )
    return fits or None


def _parser(facts: ModelFacts) -> str:
    """The parser that Ollama uses: as the Modelfile names it, its own choice for gpt-oss, or what its template teaches."""
    if facts.parser or ".ToolCalls" not in facts.template:
        return facts.parser
    return "harmony" if facts.family in ("gptoss", "gpt-oss") else "template"


def _rule(policy: Policy, name: str) -> ModelRule:
    """The rule for a model by its server's name for it: one that gives it another name counts as well."""
    rules = (rule for rule in policy.models if (rule.model == name if rule.model else rule.matches(name)))
    return next(rules, DEFAULT_RULE)
