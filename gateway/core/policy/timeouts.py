"""Policy: how long we wait for what."""

from __future__ import annotations

from gateway.core.policy.section import section


@section
class Timeouts:
    """Seconds."""

    request_body: float = 30.0
    """For a request to arrive whole."""

    headers: float = 10.0
    """At the latest after this the response headers of a stream go out, and heartbeats begin."""

    heartbeat: float = 10.0
    """Between two heartbeats while nothing else can be sent."""

    connect: float = 5.0
    """For a connection to an upstream."""

    probe: float = 5.0
    """For an upstream's small answers (version, list of models)."""

    first_part: float = 600.0
    """For the first part of an answer: model load and prompt processing. The longer of this and three times the predicted time."""

    between_parts: float = 120.0
    """Between two parts of an answer."""

    unread: float = 300.0
    """For a client to read on, where its answer has run far ahead of it; then the upstream is let go."""

    total: float = 7200.0
    """For one request, with all its attempts."""

    drain: float = 30.0
    """For running requests when the gateway is told to stop."""

    unreachable: float = 20.0
    """For an upstream that refuses connections, before the client gets the error."""
