"""The two ways in which v0.24.0 leaves a client without a byte for ever, and what comes of them through the gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.real.client import Seen, chat, events
from tests.real.holdfast import serve
from tests.real.ollama import Ollama
from tests.real.parsers_table import WRITE_FILE
from tests.real.script import Line, write_script
from tests.real.spelling import TOOL

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

CUE = "<|im_start|>assistant\n"
TEXT = "The answer is forty-two, as ever; the question is another matter."
BOUND = 60.0  # seconds; the gateway's patience for the first part is ten minutes
BREAKS = (
    f"Now.\n\n<tool_call>\n<function={TOOL}>\n<parameter=path>\na.py\n</parameter>\n"
    "<parameter=content>\ntag = '</parameter>'\n</parameter>\n</function>\n</tool_call>\n\nThat is all there is to say."
)


async def test_a_runner_killed_as_it_starts_is_noticed(old_ollama: Ollama, tmp_path: Path) -> None:
    """Ollama waits for it in an endless loop, with no model in memory, until the connection is dropped."""
    await old_ollama.teach("starter", write_script(Line((CUE,), TEXT)), renderer="qwen3-coder", parser="qwen3-coder")
    await old_ollama.unload_all()  # beside others the gateway waits three times as long
    with serve(old_ollama.url, tmp_path / "state") as url:
        before = set(old_ollama.runners())
        asking = asyncio.ensure_future(chat(url, "Go.", model="starter"))
        while not set(old_ollama.runners()) - before and not asking.done():  # noqa: ASYNC110  # a matter of milliseconds
            await asyncio.sleep(0)
        old_ollama.kill_runners()
        seen = await asyncio.wait_for(asking, BOUND)
    assert (seen.text, seen.ends) == (TEXT, ["stop"])


async def test_after_an_error_of_its_parser_every_answer_comes_in_bounded_time(
    old_ollama: Ollama, tmp_path: Path
) -> None:
    """After such an error about one request in three hangs here, until the model is unloaded."""
    script = write_script(Line((CUE,), BREAKS), markers=("<tool_call>", "</tool_call>"))
    await old_ollama.teach("breaker", script, renderer="qwen3-coder", parser="qwen3-coder")
    hung = 0
    with serve(old_ollama.url, tmp_path / "state") as url:
        for asked in range(12):
            seen = await asyncio.wait_for(chat(url, f"Go {asked}.", model="breaker", tools=[WRITE_FILE]), BOUND)
            assert seen.calls == [(TOOL, {"path": "a.py", "content": "tag = '</parameter>'"})], seen
            hung += await _stalled(url, seen)
            if hung:
                break
    print(f"{hung} of {asked + 1} answers met a server that hung")
    assert hung, "the race was not lost this time"


async def _stalled(url: str, seen: Seen) -> int:
    return sum(event["kind"] == "stalled" for event in await events(url, seen, "Broke"))
