"""Findings about clients' files: addresses that are not quite right, and windows that are not true."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.core.diagnosis.agents import agent_named
from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.setup import Claim, Endpoint, Model, Setup, Surface
from gateway.core.diagnosis.windows import advised
from gateway.core.errors import thousands

_ROUGHLY = 0.9  # a client may be told a little less than there is


def findings(setup: Setup) -> Iterator[Finding]:
    for file, why in setup.unreadable.items():
        yield Finding(
            code="config_unreadable",
            severity=Severity.WARNING,
            about=file,
            found=f"this file can't be read: {why}",
            change="Correct it: its program may ignore it, or not start.",
        )
    for endpoint in setup.endpoints:
        yield from _address(endpoint)
    for claim in setup.claims:
        if model := setup.model(claim.model):
            yield from _window(claim, model, setup)


def right_url(url: str, surface: Surface) -> str:
    """The address as the client should have it: no slash at its end; `/v1` for the OpenAI API, no path for Ollama's."""
    bare = url.rstrip("/")
    for path in ("/v1", "/api"):
        bare = bare.removesuffix(path).rstrip("/")
    return f"{bare}/v1" if surface == "openai" else bare


def _address(endpoint: Endpoint) -> Iterator[Finding]:
    path = urlsplit(endpoint.url).path
    versioned = path.rstrip("/").endswith(("/v1", "/api"))
    lines = tuple(line.replace("{url}", right_url(endpoint.url, endpoint.surface)) for line in endpoint.lines)
    if path.endswith("/"):
        yield _wrong(
            endpoint, "base_url_trailing_slash", f"{endpoint.url} ends with a slash", _SLASH[endpoint.surface], lines
        )
    if endpoint.surface == "openai" and not versioned:
        why = "its requests go to /chat/completions, which Ollama does not have"
        yield _wrong(endpoint, "base_url_without_v1", f"{endpoint.url} lacks /v1", why, lines)
    if endpoint.surface == "ollama" and versioned:
        why = "its requests go to a path that Ollama does not have"
        yield _wrong(
            endpoint, "base_url_with_path", f"{endpoint.url} has a path, but here it must have none", why, lines
        )


_SLASH = {
    "ollama": "its requests go to //api/chat, which Ollama answers with 404, and are sent nine times",
    "openai": "not every program joins that with a path in the same way",
}


def _wrong(endpoint: Endpoint, code: str, what: str, why: str, lines: tuple[str, ...]) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        about=endpoint.file,
        found=f"{endpoint.agent}: {what}: {why}",
        change="Write the address like this.",
        lines=lines,
    )


def _window(claim: Claim, model: Model, setup: Setup) -> Iterator[Finding]:
    trained, window = model.trained, model.window
    right = window or advised(model, setup)
    if trained is not None and claim.tokens > trained:
        found = f"which is trained to {trained:,}"
        yield _untrue(claim, "client_window_above_trained", Severity.FAULT, found, right)
    elif window is not None and claim.tokens > window:
        found = f"whose window is {window:,} ({model.source})"
        yield _untrue(claim, "client_window_above_effective", Severity.FAULT, found, window)
    elif window is not None and claim.tokens < _ROUGHLY * window:
        yield _below(claim, "client_window_below", f"whose window is {window:,} ({model.source})", window)
    elif window is None and trained is not None and not _ROUGHLY * right <= claim.tokens <= right:
        found = f"which is trained to {trained:,}, and nothing sets its window"
        yield _below(claim, "client_window_label", found, right)


def _below(claim: Claim, code: str, found: str, right: int) -> Finding:
    """The client believes in less than there is; what its agent needs for itself may not fit into that."""
    agent = agent_named(claim.agent)
    if agent is None or agent.fits(claim.tokens, 0):
        return _untrue(claim, code, Severity.WARNING, found, right)
    found += f"; the first request of {agent.name} alone takes {thousands(agent.prompt)}"
    return _untrue(claim, "client_window_small", Severity.FAULT, found, right)


def _untrue(claim: Claim, code: str, severity: Severity, found: str, right: int) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        about=claim.file,
        found=f"{claim.agent}: {claim.key} says {claim.tokens:,} for {claim.model}, {found}",
        change=f"Say {right:,} there.",
        lines=tuple(line.replace("{tokens}", str(right)) for line in claim.lines),
    )
