"""The agents of this lane as values: how each is pointed at a server, with a gateway before it or not, and run on one task."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.agents import installed
from tests.agents.crush_run import GoMissing, Task, build_stand_in, run_stand_in
from tests.agents.lane import bare_environment

MODEL = "sim-coder"
WINDOW = 32768
AIDER_FLAGS = [
    "--no-git",
    "--yes-always",
    "--no-check-update",
    "--no-show-model-warnings",
    "--analytics-disable",
    "--no-pretty",
    "--no-auto-lint",
    "--no-show-release-notes",
    "--no-suggest-shell-commands",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What an agent is asked to do, in which folder, and with which model of which server (its address, without a path)."""

    server: str
    project: Path
    home: Path  # its own, empty or not there yet
    prompt: str
    file: str = "shop.py"
    model: str = MODEL
    seconds: float = 240  # after these it is killed


@dataclass(frozen=True, slots=True)
class Ran:
    """How an agent ended; without a status it had to be killed."""

    status: int | None
    said: str


RunAgent: TypeAlias = Callable[[Errand], Awaitable[Ran]]


@dataclass(frozen=True, slots=True)
class Client:
    """One agent. `generations`: what the lane's task costs with it when nothing goes wrong; `install` may raise Missing.

    `window`: tokens of its model, enough for its own instructions and tools, in the simulated model's vocabulary.
    `after_length`: requests that it makes in place of one whose answer ended as `length`, that one included.
    """

    name: str
    run: RunAgent
    install: Callable[[], object]
    generations: int
    window: int = WINDOW
    after_length: int = 1

    def __str__(self) -> str:
        return self.name


async def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], seconds: float = 240) -> Ran:
    """An agent as a process group of its own, without a terminal; killed with all its children when the time is over."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    output = asyncio.ensure_future(process.communicate())
    await asyncio.wait({output}, timeout=seconds)
    in_time = output.done()
    if not in_time:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    said, _ = await output
    return Ran(process.returncode if in_time else None, said.decode("utf-8", "replace"))


def aiders_command(model: str, errand: Errand) -> list[str | Path]:
    """In `whole` format, which Aider takes for models that it does not know: there a cut answer is a cut file."""
    errands = ["--edit-format", "whole", "--message", errand.prompt, errand.file]
    return [installed.aider(), *AIDER_FLAGS, "--model", f"{model}/{errand.model}", *errands]


async def run_aider_openai(errand: Errand) -> Ran:
    env = bare_environment(errand.home, OPENAI_API_BASE=f"{errand.server}/v1", OPENAI_API_KEY="holdfast")
    return await run(aiders_command("openai", errand), cwd=errand.project, env=env, seconds=errand.seconds)


async def run_aider_ollama(errand: Errand) -> Ran:
    env = bare_environment(errand.home, OLLAMA_API_BASE=errand.server)
    return await run(aiders_command("ollama_chat", errand), cwd=errand.project, env=env, seconds=errand.seconds)


def opencode_config(server: str, model: str = MODEL, *, window: int = WINDOW) -> str:
    """`opencode.json` with one provider and one model, whose window is told as `window`."""
    models = {model: {"name": model, "limit": {"context": window, "output": 4096}}}
    options = {"baseURL": f"{server}/v1", "apiKey": "holdfast"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "Holdfast", "options": options, "models": models}
    return json.dumps(
        {
            "$schema": "https://opencode.ai/config.json",
            "provider": {"holdfast": provider},
            "model": f"holdfast/{model}",
            "autoupdate": False,
            "share": "disabled",
            "permission": {"edit": "allow", "bash": "allow", "webfetch": "deny"},
        }
    )


async def run_opencode(errand: Errand) -> Ran:
    (errand.project / "opencode.json").write_text(opencode_config(errand.server, errand.model))
    env = bare_environment(errand.home, OPENCODE_DISABLE_AUTOUPDATE="1", OPENCODE_DISABLE_MODELS_FETCH="1")
    return await run([installed.opencode(), "run", errand.prompt], cwd=errand.project, env=env, seconds=errand.seconds)


async def run_qwen(errand: Errand) -> Ran:
    settings = errand.home / ".qwen" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        json.dumps({"privacy": {"usageStatisticsEnabled": False}, "general": {"disableAutoUpdate": True}})
    )
    base = {"OPENAI_BASE_URL": f"{errand.server}/v1", "OPENAI_API_KEY": "holdfast", "OPENAI_MODEL": errand.model}
    command: list[str | Path] = [installed.qwen(), "--auth-type", "openai", "--yolo", "--prompt", errand.prompt]
    return await run(command, cwd=errand.project, env=bare_environment(errand.home, **base), seconds=errand.seconds)


async def run_crush(errand: Errand) -> Ran:
    """The stand-in; its waits before a retry last a tenth."""
    task = Task(f"{errand.server}/v1", errand.model, errand.prompt, errand.project)
    done = await run_stand_in(task, retry_scale=0.1, seconds=errand.seconds)
    return Ran(None if "context canceled" in done.failure else done.rc, str(done))


def install_crush() -> Path:
    try:
        return build_stand_in()
    except GoMissing as missing:
        raise installed.Missing(str(missing)) from None


AIDER_OPENAI = Client("Aider openai/", run_aider_openai, installed.aider, generations=1)
AIDER_OLLAMA = Client("Aider ollama_chat/", run_aider_ollama, installed.aider, generations=1)
OPENCODE = Client("OpenCode", run_opencode, installed.opencode, generations=4)
QWEN = Client("qwen-code", run_qwen, installed.qwen, generations=4, window=2 * WINDOW, after_length=10)
CRUSH = Client("Crush stand-in", run_crush, install_crush, generations=4)
CLIENTS = (AIDER_OPENAI, AIDER_OLLAMA, OPENCODE, QWEN, CRUSH)


def missing(client: Client) -> installed.Missing | None:
    """Why it can't be had here, if it can't; else it is installed."""
    try:
        client.install()
    except installed.Missing as why:
        return why
    return None
