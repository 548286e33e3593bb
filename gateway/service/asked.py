"""One request as the service takes it: what is asked, by whom, under which policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.access import Caller
from gateway.core.conversation import Conversation
from gateway.core.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. `sends` says that its client gets parts as they come, and not only the whole."""

    id: str
    conversation: Conversation
    policy: Policy
    surface: str
    sends: bool
    caller: Caller = field(default_factory=Caller)
    """Whose key it came with, and what policy says of them."""
    privacy: str | None = None
    """The `x-holdfast-privacy` header."""
    route: str = ""
    """The `x-holdfast-route` header: `heavy`, `local` or nothing."""
    agent: str = ""
    """The program that asks, in its own words."""
    session: str = ""
    """The client's name for its session, where it has one."""
    repaired: bool = False
    """Something in it was no text and became U+FFFD."""
    again: bool = False
    """The client says that it asks again (a retry header)."""

    @property
    def tells_thoughts(self) -> bool:
        """Its client gets thoughts: the form of `/v1/completions` has no place for them."""
        return self.conversation.completion is None or self.surface != "openai"
