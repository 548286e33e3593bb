"""How a real Ollama of each generation fails by itself: a prompt too long, a runner killed in the middle of an answer."""

from __future__ import annotations

import json

import pytest

from tests.real.answer import Json, message
from tests.real.ollama import Ollama
from tests.real.script import Line, write_script

pytestmark = pytest.mark.real

CUE = "<|im_start|>assistant\n"
TEXT = " ".join(f"item {number} of {number * 37 % 1009}" for number in range(400))
BODY = {"model": "long", "messages": [{"role": "user", "content": "Count."}]}
LINES = 20  # how many lines a test takes in before it kills

KILLED = "an error was encountered while running the model: unexpected EOF"


@pytest.fixture(autouse=True)
async def _long(ollama: Ollama) -> None:
    await ollama.teach("long", write_script(Line((CUE,), TEXT)), renderer="qwen3-coder", parser="qwen3-coder")


async def test_too_long_a_prompt_is_a_400(ollama: Ollama) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": "word " * 600}], "truncate": False, "shift": False}
    answer = await ollama.ask("/api/chat", {**body, "options": {"num_ctx": 1024}})
    assert answer.status == 400
    assert answer.error is not None
    if ollama.generation == "old":
        assert answer.error == "the input length exceeds the context length"
    else:
        told = json.loads(answer.error)["error"]
        assert (told["type"], told["n_ctx"]) == ("exceed_context_size_error", 1024)


async def test_a_killed_runner_ends_the_stream_with_an_error_line_and_the_next_request_is_well(ollama: Ollama) -> None:
    lines = await _killed_after(ollama, LINES)
    assert lines[-1] == {"error": KILLED}
    assert TEXT.startswith("".join(str(message(line).get("content", "")) for line in lines))
    assert (await ollama.ask("/api/chat", BODY)).text == TEXT


async def test_what_came_before_the_kill_and_a_raw_continuation_are_the_whole(ollama: Ollama) -> None:
    lines = await _killed_after(ollama, LINES)
    said = "".join(str(message(line).get("content", "")) for line in lines)
    prompt = await ollama.render(BODY) + said
    assert said + (await ollama.ask("/api/generate", {"model": "long", "raw": True, "prompt": prompt})).text == TEXT


async def _killed_after(ollama: Ollama, count: int) -> list[Json]:
    """Every line of a stream whose runner was killed after `count` of them."""
    lines = []
    async for line in ollama.stream("/api/chat", BODY):
        lines.append(line)
        if len(lines) == count:
            assert ollama.kill_runners()
    return lines
