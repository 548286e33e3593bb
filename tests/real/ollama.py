"""A real Ollama server of either generation, private to a test: its own port, home, models and log."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.real.answer import Answer, Json
from tests.real.processes import arguments, children, free_port, serving
from tests.real.saying import Model, write_gguf
from tests.real.script import Script
from tests.real.stand_in.faults import Fault, plan

ROOT = Path(__file__).parents[2]

_PARAMETERS = {"num_ctx": 8192, "num_thread": 1}  # one thread: two make a tiny model ten times slower on a busy machine


@dataclass(frozen=True, slots=True)
class Ollama:
    """A running server and a client for it; `generation` is old or new."""

    url: str
    generation: str
    home: Path
    pid: int

    def log(self) -> str:
        """What the server and its runners have written so far."""
        return (self.home / "server.log").read_text(errors="replace")

    def plan(self, *faults: Fault) -> None:
        """Let the runner do these wrong from now on (new generation); none: all is well."""
        plan(self.home / "plan.json", faults)

    def runners(self) -> list[int]:
        """Process ids of the programs that serve models now, the youngest last."""
        return [child for child in children(self.pid) if "--model" in arguments(child)]

    def kill_runners(self) -> int:
        """SIGKILL all of them; how many there were."""
        found = self.runners()
        for runner in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(runner, signal.SIGKILL)
        return len(found)

    async def teach(self, name: str, script: Script, model: Model | None = None, **fields: object) -> None:
        """Make a model that says the script; `fields` are those of /api/create (renderer, parser, template, parameters, …)."""
        path = write_gguf(self.home / "models" / "taught.gguf", script, model)
        await self.create(name, path, **{"parameters": _PARAMETERS, **fields})

    async def create(self, name: str, gguf: Path, **fields: object) -> None:
        """Make a model of any GGUF file."""
        content = await asyncio.to_thread(gguf.read_bytes)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        async with aiohttp.ClientSession(self.url, raise_for_status=True) as session:
            await session.post(f"/api/blobs/{digest}", data=io.BytesIO(content))
        answer = await self.ask(
            "/api/create", {"model": name, "files": {"tiny.gguf": digest}, "stream": False, **fields}
        )
        if answer.error is not None:
            raise RuntimeError(f"create {name}: {answer.error}")

    async def ask(self, path: str, body: Mapping[str, object]) -> Answer:
        """POST and take the whole answer in, streamed or not."""
        async with aiohttp.ClientSession(self.url) as session, session.post(path, json=body) as answer:
            return Answer(answer.status, tuple(json.loads(line) for line in (await answer.read()).splitlines() if line))

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[Json]:
        """POST and yield each line as it comes."""
        async with aiohttp.ClientSession(self.url) as session, session.post(path, json=body) as answer:
            async for line in answer.content:
                yield json.loads(line)

    async def get(self, path: str) -> Json:
        async with aiohttp.ClientSession(self.url) as session, session.get(path) as answer:
            found: Json = await answer.json()
            return found

    async def render(self, body: Mapping[str, object]) -> str:
        """The whole prompt that a chat would be given."""
        answer = await self.ask("/api/chat", {**body, "stream": False, "truncate": False, "_debug_render_only": True})
        if answer.error is not None:
            raise RuntimeError(f"render: {answer.error}")
        debug = answer.last["_debug_info"]
        assert isinstance(debug, dict)
        return str(debug["rendered_template"])

    async def unload(self, model: str) -> None:
        """Unload the model and wait until it is gone."""
        await self.ask("/api/generate", {"model": model, "keep_alive": 0})
        for _ in range(200):
            models = (await self.get("/api/ps"))["models"]
            assert isinstance(models, list)
            if all(entry["name"] != f"{model}:latest" for entry in models):
                return
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{model} stays loaded")

    async def unload_all(self) -> None:
        models = (await self.get("/api/ps"))["models"]
        assert isinstance(models, list)
        for entry in models:
            await self.unload(entry["name"].removesuffix(":latest"))


@contextlib.contextmanager
def running(binary: Path, generation: str, home: Path, **settings: str) -> Iterator[Ollama]:
    """A server of this binary that writes below `home` alone; `settings` are environment variables, OLLAMA_* and others."""
    url = f"http://127.0.0.1:{free_port()}"
    _put_stand_in(home)
    (home / "models").mkdir()
    own = {"HOME": str(home), "OLLAMA_MODELS": str(home / "models"), "OLLAMA_HOST": url, "OLLAMA_NO_CLOUD": "1"}
    stand_in = {"HOLDFAST_STAND_IN_PLAN": str(home / "plan.json"), "HOLDFAST_STAND_IN_PACE": "0.001"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")}
    environment = {**kept, **own, **stand_in, **settings}
    with serving([binary, "serve"], url + "/api/version", home / "server.log", environment) as process:
        yield Ollama(url, generation, home, process.pid)


def _put_stand_in(home: Path) -> None:
    """Put the programs of the new generation where it looks for them: below its working directory."""
    folder = home / "build" / "lib" / "ollama"
    folder.mkdir(parents=True)
    for name, verb in (("llama-server", "serve"), ("llama-quantize", "quantize")):
        command = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -S -m tests.real.stand_in.server {verb} "$@"'
        (folder / name).write_text(f"#!/bin/sh\n{command}\n")
        (folder / name).chmod(0o755)
