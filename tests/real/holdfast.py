"""Holdfast itself as users start it: `holdfast serve` in a process of its own, in front of an upstream."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.real.processes import free_port, serving


@contextlib.contextmanager
def serve(ollama: str, state: Path, *options: str) -> Iterator[str]:
    """The base URL of a gateway in front of this Ollama; state and log stand in `state`."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gateway", "serve", "--port", str(port), "--ollama", ollama, "--state", str(state)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "OLLAMA_"))}
    with serving([*command, *options], url + "/healthz", state / "gateway.log", kept):
        yield url
