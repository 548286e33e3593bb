"""`holdfast demo`: gateway, simulated Ollama and a scripted agent turn in one process; what the upstream did beside what the client saw."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from gateway.app import assemble
from gateway.cli.outcome import FINE
from gateway.cli.printing import console, print_json
from gateway.config.load import with_upstreams
from gateway.core.policy import Policy
from gateway.server.running import Running
from gateway.telemetry.log import configure
from gateway.testing.client import Client
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Kind
from gateway.testing.script import ToolUse, always, says

CODE = "def total(prices):\n    return sum(price for price in prices if price < 100)\n"
TURN = says("I write the file.", ToolUse("write", {"path": "shop.py", "content": CODE}))
WRITE = {
    "type": "function",
    "function": {
        "name": "write",
        "description": "Write a file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that goes wrong upstream."""

    title: str
    faults: Sequence[Fault] = ()


SCENES = (
    Scene("all is well"),
    Scene("the runner crashes inside the tool call", (Fault(kind=FaultKind.CRASH, at=30),)),
    Scene("the server cuts the answer inside the tool call", (Fault(kind=FaultKind.CAP, at=40),)),
    Scene("the server's parser drops the tool call", (Fault(kind=FaultKind.DROP_CALLS),)),
    Scene("out of memory before the first token", (Fault(kind=FaultKind.GONE_MEMORY),)),
    Scene("the stream ends in silence, without its end", (Fault(kind=FaultKind.SILENT_END, at=20),)),
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="see what Holdfast does when its upstream dies",
        description="Play one agent turn against a simulated Ollama that breaks in several ways: alone, and behind Holdfast.",
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    configure(level="error")
    rows = asyncio.run(_play())
    if arguments.json:
        print_json({"scenes": rows})
        return FINE
    table = Table(
        "what happens upstream", "a client of Ollama alone sees", "the same client behind Holdfast sees", "and why"
    )
    for row in rows:
        table.add_row(row["title"], row["alone"], row["behind"], row["why"])
        table.add_section()
    console().print(table)
    return FINE


async def _play() -> list[dict[str, str]]:
    return [await _scene(scene) for scene in SCENES]


async def _scene(scene: Scene) -> dict[str, str]:
    model = SimModel(name="demo", script=always(TURN), parameters={"num_ctx": 32768})
    with tempfile.TemporaryDirectory() as state:
        async with SimulatedOllama([model], faults=scene.faults) as ollama:
            alone = await _ask(ollama.url)
        async with SimulatedOllama([model], faults=scene.faults) as ollama:
            policy = with_upstreams(Policy(), ollama=ollama.url, openai=None)
            policy = replace(policy, server=replace(policy.server, port=0))
            assembly = assemble(policy, state=Path(state))
            running = Running(assembly.front, policy, close=assembly.close)
            await running.start()
            try:
                behind = await _ask(running.url)
            finally:
                await running.stop()
            made = [asked for asked in ollama.requests if asked.kind is Kind.GENERATION]
    ends = ", then ".join(f"{asked.path} ended: {asked.ended}" for asked in made)
    return {"title": scene.title, "alone": alone, "behind": behind, "why": ends}


async def _ask(url: str) -> str:
    """What a client of `/api/chat` sees, in a few lines."""
    body = {"model": "demo", "messages": [{"role": "user", "content": "Write shop.py."}], "tools": [WRITE]}
    async with Client(url) as client:
        answer = await client.post("/api/chat", body)
    lines = answer.lines
    said = [f"text: {answer.content.strip()!r}"] if answer.content.strip() else []
    calls = [f"tool call {_told(call)}" for call in answer.calls]
    last = lines[-1] if lines else {}
    end = (
        f"error: {last['error']}"
        if "error" in last
        else f"done: {last.get('done_reason', 'never, the stream just ends')}"
    )
    return "\n".join([*said, *calls, end])


def _told(call: Mapping[str, object]) -> str:
    arguments = call.get("arguments")
    whole = arguments == {"path": "shop.py", "content": CODE}
    return f"{call.get('name')}: {'whole' if whole else 'NOT what the model said'}"
