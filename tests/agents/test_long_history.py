"""Agents whose history is several times the model's window finish their task, and no prompt is longer than the window."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.testing.agent_scripts import EditTask, declared, editing, fill
from gateway.testing.ask import Ask
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Asked, Kind
from gateway.testing.script import Script, Turn, says
from tests.agents.clients import opencode_config
from tests.agents.crush_run import GoMissing, Task, find_go, run_stand_in
from tests.agents.lane import TASK, bare_environment, serving
from tests.agents.test_real_agents import AIDER_FLAGS, MODEL, aider, opencode, run

__all__ = ["aider", "opencode"]  # fixtures of the lane

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300)]
_NOTE = re.compile(r"notes/(\d\d)\.txt")
BELIEVED = 1_000_000  # tokens of a window that an agent is told of, far larger than the model's


def write_notes(project: Path, *, count: int, lines: int) -> None:
    """Notes to be read one by one; `lines` of some fifteen tokens each."""
    folder = project / "notes"
    folder.mkdir()
    for number in range(count):
        said = (
            f"Note {number:02}, line {line}: part {line * 7 % 101} of the shop is as it was.\n" for line in range(lines)
        )
        (folder / f"{number:02}.txt").write_text("".join(said))


def reading(task: EditTask, notes: int) -> Script:
    """Reads all notes, then edits and checks; goes on from its latest call, as far as it still sees one."""
    edit = editing(task)

    def choose(ask: Ask) -> Turn:
        latest = _latest(ask)
        found = _NOTE.search(latest)
        if not ask.tools:
            return says(f"## Summary\nI have read up to {found[0] if found else f'notes/{notes - 1:02}.txt'}.")
        number = int(found[1]) + 1 if found else 0
        if not found and latest:
            return edit(replace(ask, messages=_results(1 + (task.old in latest) + 2 * (task.check in latest))))
        if number < notes and (read := declared(ask, "read")):
            root = f"{task.root}/" if task.root else ""
            return says(f"I read note {number}.", fill(read, path=f"{root}notes/{number:02}.txt"))
        return edit(replace(ask, messages=_results(1)))

    return choose


def _latest(ask: Ask) -> str:
    """The arguments of the latest call; without one, what a summary says was read last."""
    for message in reversed(ask.messages):
        calls = message.get("tool_calls")
        if isinstance(calls, list) and calls:
            return " ".join(map(str, _strings(calls[-1])))
    told = [match for text in ask.said_by("user") for match in _NOTE.finditer(text)]
    return told[-1][0] if told else ""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def _results(count: int) -> tuple[Mapping[str, object], ...]:
    """A history that is only as many tool results long: what `editing` counts its steps by."""
    return tuple({"role": "tool", "content": ""} for _ in range(min(count, 3)))


def simulated(script: Script, window: int) -> SimulatedOllama:
    return SimulatedOllama(
        [SimModel(name=MODEL, script=script, window=window, parameters={"num_ctx": window})], remember=1000
    )


def turns_of(ollama: SimulatedOllama) -> list[Asked]:
    """The generations of the conversation itself: without the small ones for a title."""
    return [asked for asked in ollama.requests if asked.kind is Kind.GENERATION and asked.prompt_tokens > 500]


def the_window_was_kept(ollama: SimulatedOllama, window: int) -> None:
    for asked in ollama.requests:
        assert asked.prompt_tokens + asked.said_tokens <= window
        assert (asked.dropped_messages, asked.cut_tokens, asked.shifts, asked.reloaded) == (0, 0, 0, False)


def little_was_read_anew(ollama: SimulatedOllama, project: Path, *, times: float) -> None:
    """Tokens that the server's cache did not hold, beside the notes, which it must read once, and all that was sent."""
    turns, model = turns_of(ollama), SimModel()
    read, sent = sum(each.read_anew for each in turns), sum(each.prompt_tokens for each in turns)
    notes = sum(model.count(note.read_text()) for note in (project / "notes").iterdir())
    print(f"{len(turns)} requests, notes of {notes:,} tokens; {read:,} of {sent:,} prompt tokens read anew")
    assert notes > 3 * max(each.window for each in turns)
    assert read <= times * notes


async def compactions(url: str) -> int:
    """How many answered requests were compacted, as the records tell."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/holdfast/requests") as response:
        return json.dumps(await response.json()).count('"compacted"')


# Crush


@pytest.fixture(scope="session")
def go() -> None:
    try:
        find_go()
    except GoMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("go")
@pytest.mark.parametrize(
    ("window", "lines", "told"), [(8192, 50, 1_000_000), (24576, 160, 24576)], ids=["never summarises", "summarises"]
)
async def test_crush_reads_three_windows_of_notes(
    project: Path, tmp_path: Path, window: int, lines: int, told: int
) -> None:
    """Where it is told the window it may summarise by itself, which goes through as it is; both ways end well."""
    write_notes(project, count=20, lines=lines)
    task = replace(TASK, root=str(project))
    async with simulated(reading(task, 20), window) as ollama, serving(ollama.url, tmp_path) as gateway:
        prompt = "Read all notes, then fix the sum in shop.py and check it."
        done = await run_stand_in(Task(f"{gateway.url}/v1", MODEL, prompt, project, context_window=told))
        assert (project / "shop.py").read_text() == TASK.after, done
        assert (done.rc, done.errors) == (0, ()), done
        assert len([call for call in done.tool_calls if call.name == "view"]) >= 20
        assert bool(done.summaries) == (told == window)
        the_window_was_kept(ollama, window)
        little_was_read_anew(ollama, project, times=2)


# OpenCode


def opencode_environment(tmp_path: Path) -> dict[str, str]:
    return bare_environment(tmp_path / "home", OPENCODE_DISABLE_AUTOUPDATE="1", OPENCODE_DISABLE_MODELS_FETCH="1")


async def test_opencode_reads_three_windows_of_notes(opencode: Path, project: Path, tmp_path: Path) -> None:
    write_notes(project, count=20, lines=160)
    task = replace(TASK, root=str(project))
    async with simulated(reading(task, 20), 24576) as ollama, serving(ollama.url, tmp_path) as gateway:
        (project / "opencode.json").write_text(opencode_config(gateway.url, window=BELIEVED))
        command: list[str | Path] = [opencode, "run", "Read all notes, then fix the sum in shop.py and check it."]
        status, said = await run(command, cwd=project, env=opencode_environment(tmp_path))
        assert (project / "shop.py").read_text() == TASK.after, said[-2000:]
        assert status == 0, said[-2000:]
        the_window_was_kept(ollama, 24576)
        little_was_read_anew(ollama, project, times=2)


async def test_opencode_ends_where_nothing_can_fit(opencode: Path, project: Path, tmp_path: Path) -> None:
    """Its system prompt and tools alone are longer than this window. On an overflow it would ask hundreds of times."""
    async with simulated(editing(TASK), 4096) as ollama, serving(ollama.url, tmp_path) as gateway:
        (project / "opencode.json").write_text(opencode_config(gateway.url, window=BELIEVED))
        command: list[str | Path] = [opencode, "run", "Fix the sum in shop.py and check it."]
        _, said = await run(command, cwd=project, env=opencode_environment(tmp_path), seconds=60)
        assert "must stay whole" in said
        async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/holdfast/requests") as response:
            assert len((await response.json())["requests"]) < 10


# Aider


def aiders_history(exchanges: int) -> str:
    """A chat history as Aider keeps it beside a project."""
    told = ["\n# aider chat started at 2026-11-20 09:00:00\n"]
    for number in range(exchanges):
        answer = "\n".join(f"Point {line} of part {number}: the prices are kept as they were." for line in range(20))
        told.append(f"\n#### Explain part {number} of the shop.\n\n{answer}\n")
    return "".join(told)


def explaining(ask: Ask) -> Turn:
    if "Fix the sum" in ask.said_by("user")[-1]:
        return editing(TASK)(ask)
    return says("\n".join(f"Line {line} of the explanation." for line in range(60)))


async def test_aider_goes_on_with_a_long_chat(aider: Path, project: Path, tmp_path: Path) -> None:
    (project / ".aider.chat.history.md").write_text(aiders_history(120))
    async with simulated(explaining, 8192) as ollama, serving(ollama.url, tmp_path) as gateway:
        env = bare_environment(tmp_path / "home", OPENAI_API_BASE=f"{gateway.url}/v1", OPENAI_API_KEY="holdfast")
        command = [aider, *AIDER_FLAGS, "--model", f"openai/{MODEL}", "--edit-format", "diff", "--map-tokens", "0"]
        command += ["--restore-chat-history", "--max-chat-history-tokens", "1000000", "shop.py"]
        words = ["Explain part 3 again.", "Explain part 4 again.", "Fix the sum.", "/exit", ""]
        said = await piped([*map(str, command)], "\n".join(words), cwd=project, env=env, log=tmp_path / "aider.log")
        assert (project / "shop.py").read_text() == TASK.after, said[-2000:]
        the_window_was_kept(ollama, 8192)
        turns = turns_of(ollama)
        assert len(turns) == 3
        assert await compactions(gateway.url) == 3
        assert all("I have *added these files to the chat*" in each.prompt for each in turns)
        assert all(TASK.before in each.prompt for each in turns)
        print([(each.prompt_tokens, each.read_anew) for each in turns])
        assert all(each.read_anew < each.prompt_tokens / 2 for each in turns[1:])


async def piped(command: Sequence[str], words: str, *, cwd: Path, env: dict[str, str], log: Path) -> str:
    """An agent that is typed at; gives what it said."""
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, env=env, stdin=asyncio.subprocess.PIPE, stdout=sink, stderr=sink
        )
        try:
            await asyncio.wait_for(process.communicate(words.encode()), 180)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"{command[0]} did not end; it said: {log.read_text()[-1500:]}") from None
    return log.read_text()
