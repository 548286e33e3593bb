"""Fixtures of the real lane: a running Ollama of each generation for the whole session, and a gateway in front of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from shutil import rmtree

import pytest

from tests.real.holdfast import serve
from tests.real.ollama import Ollama, running
from tests.real.servers import installed

Start = Callable[..., Ollama]


@pytest.fixture(scope="session")
def start_ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """`start(generation, OLLAMA_X="…")` starts a server of its own; all of them end with the session."""
    with ExitStack() as stack:

        def start(generation: str, **settings: str) -> Ollama:
            binary = installed(generation)
            if binary is None:
                pytest.skip(f"the {generation} Ollama is not installed: python tests/real/servers.py install")
            home = tmp_path_factory.mktemp(f"ollama-{generation}")
            stack.callback(rmtree, home / "models")  # pytest keeps the rest, with the log, for a while
            return stack.enter_context(running(binary, generation, home, **settings))

        yield start


@pytest.fixture(scope="session")
def old_ollama(start_ollama: Start) -> Ollama:
    """v0.24.0, all real."""
    return start_ollama("old")


@pytest.fixture(scope="session")
def new_ollama(start_ollama: Start) -> Ollama:
    """v0.33.3 with the stand-in for llama-server; a test that plans faults must use them up."""
    return start_ollama("new")


@pytest.fixture(scope="session", params=["old", "new"])
def ollama(request: pytest.FixtureRequest) -> Ollama:
    """One of the two after the other."""
    found: Ollama = request.getfixturevalue(f"{request.param}_ollama")
    return found


@pytest.fixture
def holdfast(ollama: Ollama, tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """`with holdfast("--policy", FILE) as url:` serves the gateway in front of `ollama`."""
    return partial(serve, ollama.url, tmp_path / "state")
