"""The image: built from what .dockerignore lets through, run by nobody's user, its health asked of the gateway itself."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gateway.cli.main import main

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
FINAL = LINES[max(place for place, line in enumerate(LINES) if line.startswith("FROM ")) :]


def words_of(instruction: str, lines: list[str]) -> list[str]:
    """What follows each use of an instruction."""
    return [line.removeprefix(f"{instruction} ") for line in lines if line.startswith(f"{instruction} ")]


def test_what_is_copied_in_passes_the_ignore_file() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        name for words in words_of("COPY", LINES) if not words.startswith("--from") for name in words.split()[:-1]
    }
    assert "*" in ignored
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_the_last_stage_runs_as_a_user_without_rights_and_installs_nothing() -> None:
    assert [int(user) for user in words_of("USER", FINAL)] == [10001]
    assert words_of("STOPSIGNAL", FINAL) == ["SIGTERM"]
    assert words_of("VOLUME", FINAL) == ["/state"]
    assert not [line for line in FINAL if re.search(r"\b(apt-get|pip install|gcc|make)\b", line)]


def test_everything_installed_is_pinned_by_hash_or_is_the_project_itself() -> None:
    installs = [words for words in words_of("RUN", LINES) if "pip install" in words]
    assert len(installs) == 2
    assert "--require-hashes --requirement cloud.lock" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]


def test_by_itself_it_refuses_to_be_open_to_everybody_without_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOLDFAST_KEYLESS", raising=False)
    assert main(json.loads(words_of("CMD", FINAL)[0])) == 2
    assert "--keyless" in capsys.readouterr().err


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A port whose server answers every GET with a status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
            return

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health(port: int) -> int:
    """The status of the image's health check, asked at another port."""
    (words,) = words_of("HEALTHCHECK", FINAL)
    program, *arguments = json.loads(words.partition("CMD ")[2])
    assert program == "python"
    code = [each.replace("8484", str(port)) for each in arguments]
    return subprocess.run([sys.executable, *code], check=False, capture_output=True, timeout=20).returncode


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_the_gateway_says(status: int, expected: int) -> None:
    with answering(status) as port:
        assert health(port) == expected


def test_the_health_check_fails_where_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert health(taken.getsockname()[1]) == 1
