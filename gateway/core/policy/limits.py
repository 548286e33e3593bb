"""Policy: how much of what we take."""

from __future__ import annotations

from gateway.core.policy.section import section


@section
class Limits:
    """Bounds on everything that grows."""

    body_bytes: int = 64 * 1024 * 1024
    """The largest request body, after inflation."""

    header_bytes: int = 32 * 1024
    """The largest request header."""

    connections: int = 512
    """Client connections open at once."""

    answer_bytes: int = 32 * 1024 * 1024
    """The longest answer, in characters: all of it is held for clients that read slowly or come again."""

    records: int = 2000
    """Requests whose record is kept."""
