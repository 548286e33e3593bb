"""The doctor's report as one plain object: what `--json` prints. Keys are stable; scripts may rely on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.hardware import fitting, seconds_to_read
from gateway.core.diagnosis.parsers import parser_named
from gateway.core.diagnosis.setup import Model, Server, Setup
from gateway.core.memory import CACHE_TYPES, NotKnown


def report(setup: Setup, findings: Iterable[Finding]) -> dict[str, object]:
    """Everything that was looked at and found. Windows in tokens, sizes in bytes, times in seconds; null is not known."""
    found = list(findings)
    return {
        "ok": all(each.severity is Severity.NOTE for each in found),
        "upstreams": [_server(server) for server in setup.servers],
        "models": [_model(model, setup) for model in setup.models],
        "clients": [{"agent": each.agent, "file": each.file, "url": each.url} for each in setup.endpoints],
        "environment": dict(setup.environment),
        "memory_bytes": setup.memory,
        "findings": [{**asdict(each), "severity": each.severity.value, "lines": list(each.lines)} for each in found],
    }


def _server(server: Server) -> dict[str, object]:
    return {
        "name": server.name,
        "url": server.url,
        "driver": server.driver,
        "ok": not server.trouble,
        "version": server.version,
        "generation": server.generation,
        "trouble": server.trouble,
    }


def _model(model: Model, setup: Setup) -> dict[str, object]:
    parser = parser_named(model.parser, setup.server_of(model).generation)
    return {
        "upstream": model.server,
        "name": model.name,
        "window": model.window,
        "window_source": model.source,
        "trained": model.trained,
        "configured": model.configured,
        "policy": model.chosen,
        "loaded": model.loaded.window if model.loaded else None,
        "gpu_share": round(model.loaded.share, 4) if model.loaded else None,
        "layers": model.layers or None,
        "weights_bytes": model.weights,
        "context": _context(model),
        "fits": _fits(model, setup),
        "tokens_per_second": model.speed or None,
        "seconds_to_read": seconds_to_read(model),
        "dialect": model.dialect,
        "parser": model.parser,
        "cut_calls": parser.cut if parser else None,
    }


def _context(model: Model) -> dict[str, object]:
    context = model.context
    if isinstance(context, NotKnown):
        return {"not_known": context.why}
    return {
        "type": model.cache,
        "parallel": model.parallel,
        "bytes": context.size(model.window, kind=model.cache, parallel=model.parallel) if model.window else None,
        "whole_layers": context.whole_layers,
        "sliding_layers": context.near_layers,
        "recurrent_layers": context.recurrent_layers,
    }


def _fits(model: Model, setup: Setup) -> dict[str, int | None] | None:
    """The largest window that fits the memory that was told, by type of cache; 0 where none does."""
    if setup.memory is None or isinstance(model.context, NotKnown):
        return None
    return {kind: fitting(model, setup.memory, kind) for kind in CACHE_TYPES}
