"""Holdfast in front of a real Ollama of each generation: chats, counts, calls, overflow, and a runner killed at twenty places."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.real.client import Seen, chat, events
from tests.real.ollama import Ollama
from tests.real.parsers_table import WRITE_FILE
from tests.real.script import Line, write_script
from tests.real.spelling import TOOL

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

Serve = Callable[..., AbstractContextManager[str]]

CUE = "<|im_start|>assistant\n"
TEXT = " ".join(f"item {number} of {number * 37 % 1009}" for number in range(120))
CONTENT = "".join(f"def case_{n}(value):\n    return value * {n} + {n % 7}\n\n\n" for n in range(8))
CALL = (
    "I write the cases.\n\n"
    f"<tool_call>\n<function={TOOL}>\n<parameter=path>\ncases.py\n</parameter>\n"
    f"<parameter=content>\n{CONTENT}</parameter>\n</function>\n</tool_call>"
)
LONG_CALL = CALL.replace(CONTENT, "".join(f"item_{n} = {n * 37 % 1009}\n" for n in range(60)))
HARD = CALL.replace("def case_0(value):", 'def case_0(value="</parameter>"):')


async def taught(ollama: Ollama, says: str, *, window: int = 8192) -> None:
    script = write_script(Line((CUE,), says), markers=("<tool_call>", "</tool_call>"))
    parameters = {"num_ctx": window, "num_thread": 1}
    await ollama.teach("sayer", script, renderer="qwen3-coder", parser="qwen3-coder", parameters=parameters)


async def test_a_chat_streams_and_its_prompt_was_counted_exactly(ollama: Ollama, holdfast: Serve) -> None:
    await taught(ollama, TEXT)
    with holdfast() as url:
        seen = await chat(url, "Count.")
    assert (seen.status, seen.text, seen.ends, seen.done) == (200, TEXT, ["stop"], True)
    counted = int(seen.headers["x-holdfast-tokens"].split(";")[0])
    assert "method=exact" in seen.headers["x-holdfast-tokens"]
    assert seen.usage["prompt_tokens"] == counted


async def test_options_reach_the_model(ollama: Ollama, holdfast: Serve) -> None:
    await taught(ollama, TEXT)
    with holdfast() as url:
        cut = await chat(url, "Count.", max_tokens=7)
        stopped = await chat(url, "Count.", stop=["item 3"])
    assert cut.ends == ["length"]
    assert TEXT.startswith(cut.text)
    assert cut.usage["completion_tokens"] == 7
    assert stopped.text.rstrip() == TEXT[: TEXT.index("item 3")].rstrip()
    assert stopped.ends == ["stop"]


async def test_a_tool_call_comes_whole(ollama: Ollama, holdfast: Serve) -> None:
    await taught(ollama, CALL)
    with holdfast() as url:
        seen = await chat(url, "Write the cases.", tools=[WRITE_FILE])
    assert seen.text.strip() == "I write the cases."
    assert seen.calls == [(TOOL, {"path": "cases.py", "content": CONTENT.removesuffix("\n")})]
    assert seen.ends == ["tool_calls"]


async def test_a_value_that_breaks_the_servers_parser_comes_whole(ollama: Ollama, holdfast: Serve) -> None:
    """A value with `</parameter>` in it: Ollama alone answers with an XML error."""
    await taught(ollama, HARD)
    with holdfast() as url:
        seen = await chat(url, "Write the cases.", tools=[WRITE_FILE])
    assert seen.ends == ["tool_calls"], seen
    assert [name for name, _ in seen.calls] == [TOOL]
    assert '"</parameter>"' in str(seen.calls)


@pytest.mark.parametrize("cap", [8, 20, 45])
async def test_a_call_cut_by_the_clients_own_limit_is_overrun(ollama: Ollama, holdfast: Serve, cap: int) -> None:
    await taught(ollama, CALL)
    with holdfast() as url:
        seen = await chat(url, "Write the cases.", tools=[WRITE_FILE], max_tokens=cap)
    if seen.ends == ["length"]:
        assert seen.calls == [], "a cut call went out"
        assert CALL.startswith(seen.text), seen.text
        assert "<" not in seen.text
    else:
        assert seen.calls == [(TOOL, {"path": "cases.py", "content": CONTENT.removesuffix("\n")})]


async def test_a_prompt_that_cannot_fit_is_refused_in_words(ollama: Ollama, holdfast: Serve) -> None:
    await taught(ollama, TEXT, window=2048)
    with holdfast() as url:
        seen = await chat(url, "word " * 3000)
    assert seen.status == 400
    assert isinstance(seen.error, dict)
    assert seen.error["code"] == "window_too_small"
    assert seen.error["window"] == "2.0k"


PLACES = 20


async def test_a_runner_killed_at_twenty_places_of_a_text_is_not_noticed(ollama: Ollama, holdfast: Serve) -> None:
    await taught(ollama, TEXT)
    with holdfast() as url:
        calm = await chat(url, "Go.")
        assert calm.text == TEXT
        for step in range(PLACES):
            place = 1 + (calm.usage["completion_tokens"] - 1) * step // PLACES
            killed: list[int] = []

            def kill(count: int, place: int = place, killed: list[int] = killed) -> None:
                if count >= place and not killed:
                    killed.append(ollama.kill_runners())

            seen = await chat(url, "Go.", after=kill)
            assert killed
            assert (seen.text, seen.ends) == (TEXT, ["stop"]), f"killed at {place}: {seen}"


async def test_a_runner_killed_at_twenty_places_of_a_call_is_not_noticed(ollama: Ollama, holdfast: Serve) -> None:
    """The call is held until it is whole, so that no event tells where it is: the clock chooses the place."""
    await taught(ollama, LONG_CALL)
    broken = 0
    with holdfast() as url:
        calm = await _loaded(url)
        assert [name for name, _ in calm.calls] == [TOOL]
        began = time.monotonic()
        await chat(url, "Go.", tools=[WRITE_FILE])
        seconds = time.monotonic() - began
        for step in range(PLACES):
            assert (await _loaded(url)).calls == calm.calls  # v0.24.0 may hang if it is killed while it loads
            killer = asyncio.ensure_future(_kill_after(ollama, seconds * (step + 0.5) / PLACES))
            seen = await chat(url, "Go.", tools=[WRITE_FILE])
            await killer
            assert (seen.text, seen.calls, seen.ends) == (calm.text, calm.calls, calm.ends), f"killed at {step}: {seen}"
            broken += bool(await events(url, seen, "Broke"))
    print(f"{broken} of {PLACES} kills met the answer on its way")
    assert broken >= PLACES // 4, "too few met an answer to show anything"


async def _loaded(url: str) -> Seen:
    """An answer, after which the model is loaded as the gateway loads it."""
    return await chat(url, "Go.", tools=[WRITE_FILE])


async def _kill_after(ollama: Ollama, seconds: float) -> None:
    await asyncio.sleep(seconds)
    ollama.kill_runners()
