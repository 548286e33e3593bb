"""Policy: who may come in with a key, and what that key allows."""

from __future__ import annotations

from gateway.core.policy.privacy import Label
from gateway.core.policy.section import section


@section
class ClientKey:
    """One client's key. The key itself stands nowhere: `holdfast policy key NAME` makes one and prints what to write here."""

    sha256: str = ""
    """The SHA-256 of the key, in hex."""

    key_env: str = ""
    """Or the name of the environment variable that holds the key."""

    label: Label = "local"
    """What may happen to the content of its requests: `local`, `cloud-ok` or `redact`."""

    root: str = ""
    """The folder under which its relative paths are taken, for agents that name no folder (Aider)."""

    at_once: int = 0
    """Its requests that may be under way at once; one more gets 503 with Retry-After. 0: no bound of its own."""

    dollars_per_day: float | None = None
    """The most that it may spend in a day (UTC). Empty: what `cloud.budgets` says."""

    dollars: float | None = None
    """The most that it may spend ever."""
