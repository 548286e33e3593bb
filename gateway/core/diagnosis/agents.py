"""What coding agents bring along: the length of their own prompt, and how long they wait for a first byte."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.budget import prompt_budget


@dataclass(frozen=True, slots=True)
class Agent:
    """Tokens of its first request (system, tools, one short task), and seconds until it gives up; None: it waits."""

    name: str
    prompt: int
    patience: float | None

    def fits(self, window: int, reserve: int) -> bool:
        """Whether its first request fits into a window beside the answer."""
        return self.prompt <= prompt_budget(window, max_tokens=None, reserve=reserve, margin=0)


# Measured with Aider 0.86, OpenCode 1.18, Crush 0.90 (its recorded requests) and qwen-code 0.15.
AGENTS = (
    Agent("Aider", 2_200, 600.0),
    Agent("OpenCode", 7_200, 300.0),
    Agent("Crush", 9_100, None),
    Agent("qwen-code", 18_300, 120.0),
)


def agent_named(name: str) -> Agent | None:
    return next((agent for agent in AGENTS if agent.name == name), None)
