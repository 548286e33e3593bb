"""Findings about servers: who answers, what Ollama's settings say, whose parser hands over damaged calls."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.budget import SMALL_WINDOW
from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.parsers import parser_named
from gateway.core.diagnosis.setup import Setup
from gateway.core.memory import CACHE_TYPES

_OFF = ("0", "false", "f", "no")


def findings(setup: Setup) -> Iterator[Finding]:
    yield from _unreachable(setup)
    yield from _missing(setup)
    yield from _broken(setup)
    yield from _environment(setup)
    yield from _parsers(setup)


def _unreachable(setup: Setup) -> Iterator[Finding]:
    for server in setup.servers:
        if server.trouble:
            start = "Start Ollama (ollama serve)" if server.driver == "ollama" else "Start the server"
            yield Finding(
                code="unreachable",
                severity=Severity.FAULT,
                about=server.name,
                found=f"{server.url} does not answer: {server.trouble}",
                change=f"{start}, or correct the address: --{server.driver} URL, or upstreams.{server.name}.url in the policy.",
            )


def _missing(setup: Setup) -> Iterator[Finding]:
    answering = [server.name for server in setup.servers if not server.trouble]
    if not answering or setup.models:
        return
    names = ", ".join(answering)
    yield Finding(
        code="model_missing" if setup.wanted else "no_models",
        severity=Severity.FAULT,
        about=setup.wanted or names,
        found=f"{names} has no model named {setup.wanted}" if setup.wanted else f"{names} has no models",
        change="Get one, or correct the name; `ollama list` shows those that are there.",
        lines=(f"ollama pull {setup.wanted or 'qwen3-coder:30b'}",),
    )


def _broken(setup: Setup) -> Iterator[Finding]:
    for model in setup.models:
        if model.trouble:
            yield Finding(
                code="model_broken",
                severity=Severity.WARNING,
                about=f"{model.server}/{model.name}",
                found=f"its server lists it and can't describe it: {model.trouble}",
                change="Get it anew, or remove it.",
                lines=(f"ollama pull {model.name}",),
            )


def _environment(setup: Setup) -> Iterator[Finding]:
    """OLLAMA_* as this process sees it; the server may run with other settings."""
    kind = setup.environment.get("OLLAMA_KV_CACHE_TYPE", "").lower()
    if kind and kind not in CACHE_TYPES:
        yield _setting("OLLAMA_KV_CACHE_TYPE", f"is {kind}, which Ollama does not know", "OLLAMA_KV_CACHE_TYPE=q8_0")
    if kind in CACHE_TYPES[1:] and setup.environment.get("OLLAMA_FLASH_ATTENTION", "").lower() in _OFF:
        why = f"is off, but OLLAMA_KV_CACHE_TYPE={kind} needs it"
        yield _setting("OLLAMA_FLASH_ATTENTION", why, "OLLAMA_FLASH_ATTENTION=1")
    length = setup.environment.get("OLLAMA_CONTEXT_LENGTH", "")
    if length.isdigit() and 0 < int(length) < SMALL_WINDOW:
        why = f"is {int(length):,}, too small for a coding agent"
        yield _setting("OLLAMA_CONTEXT_LENGTH", why, "OLLAMA_CONTEXT_LENGTH=32768")


def _setting(name: str, why: str, line: str) -> Finding:
    return Finding(
        code="ollama_setting",
        severity=Severity.WARNING,
        about=name,
        found=f"{name} {why}",
        change="Set it for the Ollama server and start that again.",
        lines=(line,),
    )


def _parsers(setup: Setup) -> Iterator[Finding]:
    for model in setup.models:
        parser = parser_named(model.parser, setup.server_of(model).generation)
        if parser is None or "damaged" not in (parser.cut, parser.whole):
            continue
        which = "even whole calls damaged" if parser.whole == "damaged" else "cut calls as if they were whole"
        yield Finding(
            code="parser_damages_calls",
            severity=Severity.NOTE,
            about=f"{model.server}/{model.name}",
            found=f"Ollama's parser {model.parser} is known to hand over {which}",
            change="For unattended work prefer a model whose parser is not: those of qwen3-coder and gpt-oss drop a cut call, or fail.",
        )
