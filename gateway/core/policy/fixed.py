"""What of a policy holds for as long as a gateway runs, however its file is edited."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.policy import Policy


def held(edited: Policy, running: Policy) -> tuple[Policy, tuple[str, ...]]:
    """The edited policy as a gateway that runs can take it over, and the keys whose new values wait for its next start."""
    server = replace(edited.server, host=running.server.host, port=running.server.port)
    limits = replace(edited.limits, records=running.limits.records)
    waiting = {
        "server.host": edited.server.host != server.host,
        "server.port": edited.server.port != server.port,
        "limits.records": edited.limits.records != limits.records,
    }
    return replace(edited, server=server, limits=limits), tuple(key for key, waits in waiting.items() if waits)
