"""The model `demo`: what people and agents talk to where no real Ollama is, and the server that holds it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.testing.agent_scripts import declared, fill
from gateway.testing.ask import Ask
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import ToolUse, Turn, says

WINDOW = 32_768

_FILE = re.compile(r"[\w./-]*\w\.\w{1,5}\b")
_ABOUT = (
    "I am `demo`, the simulated model that comes with Holdfast. I think of nothing, but everything around me is real: "
    "the tokens are counted, the window is kept, and what breaks on the way is put right. "
    "Point Holdfast at an Ollama with a model of yours to get answers that are worth reading."
)


@asynccontextmanager
async def demo_upstream() -> AsyncIterator[str]:
    """A simulated Ollama with the model `demo`, on a free port; gives its URL."""
    model = SimModel(name="demo", script=demo, window=WINDOW, parameters={"num_ctx": WINDOW})
    async with SimulatedOllama([model], remember=20) as server:
        yield server.url


def demo(ask: Ask) -> Turn:
    """Says what it is; with tools at hand it looks at a file first, as an agent's model would."""
    asked = (ask.said_by("user") or [""])[-1]
    results = ask.said_by("tool")
    if results:
        return says(f"I have looked: {len(results[-1].splitlines())} lines came back. {_ABOUT}")
    if use := _look(ask, asked):
        return says("Let me look first.", use)
    words = len(asked.split())
    return says(f"{_ABOUT}\n\nYour message had {words} word{'s' * (words != 1)}.")


def _look(ask: Ask, asked: str) -> ToolUse | None:
    named = _FILE.search(asked)
    if named and (reader := declared(ask, "read")):
        return fill(reader, path=named[0])
    lister = declared(ask, "list")
    return fill(lister, path=".") if named and lister else None
