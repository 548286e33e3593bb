"""What the new generation makes of a runner that fails as planned: the endings that no real model brings about on demand."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.ollama import Ollama
from tests.real.script import Line, write_script
from tests.real.stand_in.faults import Fault

pytestmark = pytest.mark.real

CUE = "<|im_start|>assistant\n"
TEXT = " ".join(f"item {number} of {number * 37 % 1009}" for number in range(40))
BODY = {"model": "failing", "messages": [{"role": "user", "content": "Count."}]}

DIED = (
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, "
    "check ollama server logs for details"
)
OUT_OF_MEMORY = "CUDA error: out of memory"


@pytest.fixture(autouse=True)
async def _failing(new_ollama: Ollama) -> None:
    new_ollama.plan()
    await new_ollama.teach("failing", write_script(Line((CUE,), TEXT)), renderer="qwen3-coder", parser="qwen3-coder")


async def test_out_of_memory_while_loading_names_it(new_ollama: Ollama) -> None:
    """Twice: where other models are loaded, Ollama unloads them and tries once more by itself."""
    await new_ollama.unload("failing")
    new_ollama.plan(Fault("load", "exit", text="cudaMalloc failed: out of memory", times=2))
    answer = await new_ollama.ask("/api/chat", BODY)
    assert answer.status == 500
    assert answer.error == "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"


async def test_a_death_before_the_first_token_names_the_last_error(new_ollama: Ollama) -> None:
    new_ollama.plan(Fault("prompt", "kill", text=OUT_OF_MEMORY))
    answer = await new_ollama.ask("/api/chat", BODY)
    assert (answer.status, answer.error) == (500, f"{DIED}: {OUT_OF_MEMORY}")


async def test_a_death_between_tokens_names_the_last_error(new_ollama: Ollama) -> None:
    new_ollama.plan(Fault("token", "kill", after=5, text=OUT_OF_MEMORY))
    answer = await new_ollama.ask("/api/chat", BODY)
    assert answer.error == f"an error was encountered while running the model: {OUT_OF_MEMORY}"
    assert len(answer.lines) == 5 + 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(
            "token", "event", after=5, text='{"error":{"code":500,"message":"Compute error.","type":"server_error"}}'
        ),
        Fault("token", "end", after=5),
        Fault("token", "repeat", after=5),
    ],
    ids=lambda fault: fault.does,
)
async def test_an_ending_in_silence_has_neither_error_nor_done(new_ollama: Ollama, fault: Fault) -> None:
    new_ollama.plan(fault)
    answer = await new_ollama.ask("/api/chat", BODY)
    assert (answer.status, answer.error, answer.reason) == (200, None, None)


async def test_an_error_status_of_the_runner_passes_with_its_body(new_ollama: Ollama) -> None:
    body = '{"error":{"code":500,"message":"Compute error.","type":"server_error"}}'
    new_ollama.plan(Fault("prompt", "status", code=500, text=body))
    answer = await new_ollama.ask("/api/chat", BODY)
    assert (answer.status, answer.error) == (500, body)


async def test_nothing_is_sent_while_the_runner_is_silent(new_ollama: Ollama) -> None:
    new_ollama.plan(Fault("prompt", "stall", seconds=1.0))
    stream = new_ollama.stream("/api/chat", BODY)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.5)
    await stream.aclose()
