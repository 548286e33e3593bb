"""Policy: who waits for whom."""

from __future__ import annotations

from gateway.core.policy.section import section


@section
class AdmissionRules:
    """The line before each upstream. How many it serves at once is the upstream's `slots`."""

    queue: int = 64
    """Requests that may wait; one more gets 503 with Retry-After."""

    longest_wait: float = 1800.0
    """Seconds of expected work in the line beyond which a newcomer gets 503 with Retry-After."""

    keep_slot: float = 2.0
    """Seconds for which a slot stays with a session after a tool call, since its agent comes right back. Others wait meanwhile."""

    patience: float = 30.0
    """Seconds after which a waiting request is no longer put behind people, or behind the model that is loaded."""
