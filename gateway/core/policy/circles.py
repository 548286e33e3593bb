"""Policy: what is done about models and agents that go round in circles."""

from __future__ import annotations

from typing import Literal

from gateway.core.policy.section import section


@section
class CircleRules:
    """Circles cost hours of a machine and bring nothing."""

    thought: Literal["off", "warn", "act"] = "act"
    """A thought that says the same again and again, or goes on for too long. `warn` notes it; `act` ends it and lets the answer begin."""

    thought_tokens: int = 16384
    """Tokens after which a thought has gone on for too long; 0 for no such bound."""

    call_characters: int = 60_000
    """Characters of one and the same, again and again, after which a tool call is ended: it would have no end. 0 for no such bound."""

    agents: Literal["off", "warn", "act"] = "warn"
    """An agent that makes the same call with the same result again and again, or calls that change nothing. `warn` notes it; `act` first tells the model, then ends the task."""

    note_after: int = 4
    """Rounds of an agent's circle after which it is noted."""

    stop_after: int = 10
    """Rounds after which the task is ended. At least twice `note_after` gives the model time to do something else."""
