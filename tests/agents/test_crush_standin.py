"""The stand-in for Crush does through its Python door what its README says; a scripted server answers it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.agents import crush_run
from tests.agents.crush_run import CrushRun, GoMissing, Task, build_stand_in, find_go, run_real_crush, run_stand_in

pytestmark = [pytest.mark.agents, pytest.mark.timeout(400)]

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is missing: the stand-in for Crush can't be built")

Chunk = dict[str, object]


class Scripted:
    """A model server that streams one list of chunks a step, and a title to whoever brings no tools."""

    def __init__(self, *steps: Sequence[Chunk]) -> None:
        self.steps = list(steps)
        self.sessions: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.sessions.append(request.headers["x-session-id"])
        chunks = self.steps.pop(0) if "tools" in body else _said("A title")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(b"data: %b\n\n" % json.dumps(chunk).encode())
        await response.write(b"data: [DONE]\n\n")
        return response


async def _models(request: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": "m", "meta": {"n_ctx": 32768}}]})


@asynccontextmanager
async def _serving(scripted: Scripted) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", scripted.answer)
    app.router.add_get("/v1/models", _models)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


def _delta(delta: Chunk, finish: str | None = None) -> Chunk:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _said(text: str) -> list[Chunk]:
    return [_delta({"content": text}), _delta({}, "stop"), {"choices": [], "usage": _usage()}]


def _usage() -> Chunk:
    return {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}


def _called(name: str, arguments: str, finish: str = "tool_calls") -> list[Chunk]:
    function = {"name": name, "arguments": arguments}
    call = {"index": 0, "id": "c1", "type": "function", "function": function}
    return [_delta({"tool_calls": [call]}), _delta({}, finish), {"choices": [], "usage": _usage()}]


def _tool(name: str, **arguments: str) -> list[Chunk]:
    return _called(name, json.dumps(arguments))


async def _ran(scripted: Scripted, folder: Path, provider_type: str = "openai-compat") -> CrushRun:
    async with _serving(scripted) as url:
        return await run_stand_in(Task(url, "m", "Mend the greeting.", folder, provider_type))


@needs_go
async def test_a_task_is_read_edited_and_checked(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("helo\n")
    scripted = Scripted(
        _tool("view", file_path="hello.txt"),
        _tool("edit", file_path=str(tmp_path / "hello.txt"), old_string="helo", new_string="hello"),
        _tool("bash", command="grep -c hello hello.txt"),
        _said("The greeting is right now."),
    )
    done = await _ran(scripted, tmp_path, "llamacpp")

    assert (done.rc, done.finish, done.failure, done.errors) == (0, "stop", "", ())
    assert (tmp_path / "hello.txt").read_text() == "hello\n"
    assert (done.turns, done.title, done.text) == (4, "A title", "The greeting is right now.")
    assert [call.name for call in done.tool_calls] == ["view", "edit", "bash"]
    assert done.tool_calls[-1].result == "1\n"
    assert done.files_written == ("hello.txt",)
    assert {usage.prompt for usage in done.usage} == {100}
    assert done.window == 32768
    assert [request.status for request in done.requests_for("step")] == [200] * 4
    assert len(set(scripted.sessions)) == 1


@needs_go
async def test_half_a_call_really_writes_half_a_file(tmp_path: Path) -> None:
    """The danger that a gateway has to keep away from Crush."""
    half = '{"file_path": "a.py", "content": "def f():\\n    return'
    done = await _ran(Scripted(_called("write", half, finish="length"), _said("Done.")), tmp_path)

    assert done.rc == 0
    assert done.tool_calls[0].repaired
    assert (tmp_path / "a.py").read_text() == "def f():\n    return"


@needs_go
async def test_a_run_past_its_time_is_stopped_and_tells(tmp_path: Path) -> None:
    scripted = Scripted(_tool("bash", command="sleep 60"), _said("never"))
    async with _serving(scripted) as url:
        done = await run_stand_in(Task(url, "m", "Wait.", tmp_path), seconds=2)

    assert done.rc == 1
    assert "context canceled" in done.failure


@needs_go
def test_the_stand_ins_own_tests_pass() -> None:
    for command in (["vet", "./..."], ["test", "./..."]):
        ran = subprocess.run([find_go(), *command], cwd=crush_run.SOURCE, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_without_go_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    build_stand_in.cache_clear()
    with pytest.raises(GoMissing, match=r"install Go 1\.25"):
        build_stand_in()


async def test_the_real_crush_gets_a_home_and_a_configuration_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "crush"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\ncat "$XDG_CONFIG_HOME/crush/crush.json"\necho "$*" >&2\npwd >&2\nexit 3\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    done = await run_real_crush(Task("http://gateway/v1", "m", "Do it.", tmp_path, context_window=9000, max_tokens=500))

    assert done.rc == 3
    assert done.stderr.splitlines() == ["run --quiet Do it.", str(tmp_path)]
    config = json.loads(done.stdout)
    assert config["providers"]["holdfast"] == {
        "type": "openai-compat",
        "base_url": "http://gateway/v1",
        "api_key": "none",
        "models": [{"id": "m", "name": "m", "context_window": 9000, "default_max_tokens": 500}],
    }
    assert config["models"]["large"] == config["models"]["small"] == {"provider": "holdfast", "model": "m"}
