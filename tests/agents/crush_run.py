"""Runs Crush on one task: the stand-in that is built here with Go, and the real one where it is on PATH."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

SOURCE = Path(__file__).with_name("crush")
_BINARY = Path(__file__).parents[2] / ".lanes" / "crush" / "crush-standin"
_BUILD_SECONDS = 300  # the first build fetches and compiles the SDK
_GRACE_SECONDS = 5
_BUILDING = threading.Lock()  # two runs at once must not write one file


class GoMissing(Exception):
    """There is no Go to build the stand-in with."""


@dataclass(frozen=True, slots=True)
class Task:
    """What Crush is asked to do, where, and against which server; `base_url` ends in `/v1`."""

    base_url: str
    model: str
    prompt: str
    folder: Path
    provider_type: str = "openai-compat"
    context_window: int = 0  # tokens; 0: what discovery finds
    max_tokens: int = 0  # 0: not sent
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, in the order of sending; status 0 where no answer came."""

    purpose: str  # models, show, info, title, step or summary
    method: str
    path: str
    status: int
    ms: int
    headers_ms: int
    retry: int


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call that ended in a result; `repaired` says that its arguments were guessed from broken JSON."""

    turn: int
    name: str
    arguments: str
    repaired: bool
    error: bool
    result: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one step; `estimated` where the server sent none."""

    prompt: int
    completion: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Mishap:
    """One failed attempt; `partial` is the text that had been streamed and was thrown away."""

    where: str
    retry: int
    text: str
    status: int = 0
    partial: str = ""
    context_too_large: bool = False


@dataclass(frozen=True, slots=True)
class CrushRun:
    """What the stand-in did; `failure` says why it broke off, if it did."""

    rc: int
    finish: str
    failure: str
    title: str
    text: str
    turns: int
    summaries: int
    window: int
    models: tuple[str, ...]
    requests: tuple[Request, ...]
    tool_calls: tuple[ToolCall, ...]
    files_written: tuple[str, ...]
    usage: tuple[Usage, ...]
    errors: tuple[Mishap, ...]

    def requests_for(self, purpose: str) -> tuple[Request, ...]:
        """The requests of one purpose, retries included."""
        return tuple(request for request in self.requests if request.purpose == purpose)


@dataclass(frozen=True, slots=True)
class RealCrushRun:
    """What the real Crush left behind besides its files."""

    rc: int
    stdout: str
    stderr: str


_REPORT = TypeAdapter(CrushRun)


def find_go() -> str:
    """The Go command, or GoMissing in words that tell what to do."""
    found = shutil.which("go")
    if found is None:
        raise GoMissing(
            "Go is missing, so the stand-in for Crush was not built: install Go 1.25 or later (https://go.dev/dl)"
        )
    return found


@functools.cache
def build_stand_in() -> Path:
    """The stand-in's binary, built once a process; Go's own cache makes a repeat cheap."""
    go = find_go()
    _BINARY.parent.mkdir(parents=True, exist_ok=True)
    fresh = _BINARY.with_name(f"{_BINARY.name}.{os.getpid()}")
    command = [go, "build", "-o", str(fresh), "."]
    with _BUILDING:
        built = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
        if built.returncode != 0:
            raise RuntimeError(f"the stand-in for Crush does not build:\n{built.stderr}")
        fresh.replace(_BINARY)  # in one step: another process may be running the old one
    return _BINARY


async def run_stand_in(task: Task, *, retry_scale: float = 0.01, seconds: float = 90) -> CrushRun:
    """Runs the task to its end; past `seconds` it is told to stop, and its report says so in `failure`."""
    binary = await asyncio.to_thread(build_stand_in)
    options = {
        "--base-url": task.base_url,
        "--model": task.model,
        "--type": task.provider_type,
        "--dir": str(task.folder),
        "--prompt": task.prompt,
        "--api-key": task.api_key,
        "--context-window": str(task.context_window),
        "--max-tokens": str(task.max_tokens),
        "--retry-scale": str(retry_scale),
    }
    arguments = [f"{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as home:
        ended = await _run([str(binary), *arguments, "--json"], task.folder, _private(Path(home)), seconds)
    if not ended.stdout:
        raise RuntimeError(f"the stand-in for Crush left no report, exit status {ended.rc}: {ended.stderr}")
    return _REPORT.validate_json(ended.stdout)


def find_real_crush() -> str | None:
    """The real Crush, where it is on PATH."""
    return shutil.which("crush")


async def run_real_crush(task: Task, *, seconds: float = 300) -> RealCrushRun:
    """Runs the task with the real Crush, headless and with a home and a configuration of its own."""
    crush = find_real_crush()
    if crush is None:
        raise RuntimeError("crush is not on PATH")
    with tempfile.TemporaryDirectory() as home:
        environment = _private(Path(home))
        config = Path(environment["XDG_CONFIG_HOME"]) / "crush" / "crush.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps(_configuration(task)), encoding="utf-8")
        return await _run([crush, "run", "--quiet", task.prompt], task.folder, environment, seconds)


def _configuration(task: Task) -> dict[str, object]:
    """A crush.json with one provider, and its one model for both sizes of work."""
    provider: dict[str, object] = {
        "type": task.provider_type,
        "base_url": task.base_url,
        "api_key": task.api_key or "none",
    }
    if task.context_window:
        limits = {"context_window": task.context_window, "default_max_tokens": task.max_tokens}
        provider["models"] = [{"id": task.model, "name": task.model, **limits}]
    chosen = {"provider": "holdfast", "model": task.model}
    return {"providers": {"holdfast": provider}, "models": {"large": chosen, "small": chosen}}


def _private(home: Path) -> dict[str, str]:
    """An environment with nothing of the user's but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


async def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float) -> RealCrushRun:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output = asyncio.ensure_future(process.communicate())
    try:
        await asyncio.wait({output}, timeout=seconds)
        if not output.done():
            process.terminate()
            await asyncio.wait({output}, timeout=_GRACE_SECONDS)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        stdout, stderr = await output
    assert process.returncode is not None
    return RealCrushRun(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))
