"""Where a broken answer can be joined, on a real Ollama of each generation: exactly after any token, raw or as an open prefix."""

from __future__ import annotations

import pytest

from tests.real.ollama import Ollama
from tests.real.parsers_table import WRITE_FILE
from tests.real.saying import Model
from tests.real.script import Line, write_script
from tests.real.spelling import TOOL

pytestmark = pytest.mark.real

CUE = "<|im_start|>assistant\n"
CONTENT = "".join(
    f"def case_{number}(value):\n    return value * {number} + {number % 7}\n\n\n" for number in range(12)
)
CALL = (
    "I write the cases.\n\n"
    f"<tool_call>\n<function={TOOL}>\n<parameter=path>\ncases.py\n</parameter>\n"
    f"<parameter=content>\n{CONTENT}</parameter>\n</function>\n</tool_call>"
)
SCRIPT = write_script(Line((CUE,), CALL), markers=("<tool_call>", "</tool_call>"))
BODY = {"model": "writer", "messages": [{"role": "user", "content": "Write the cases."}], "tools": [WRITE_FILE]}


@pytest.fixture(autouse=True)
async def _writer(ollama: Ollama) -> None:
    await ollama.teach("writer", SCRIPT, renderer="qwen3-coder", parser="qwen3-coder")


@pytest.mark.parametrize("cut", [1, 5, 20, 40, 60, 90])
async def test_the_rendered_prompt_and_what_was_said_go_on_exactly(ollama: Ollama, cut: int) -> None:
    first = await ollama.ask("/api/chat", {**BODY, "logprobs": True, "options": {"num_predict": cut}})
    assert first.raw == "".join(SCRIPT.pieces[0][:cut])
    rest = await ollama.ask(
        "/api/generate", {"model": "writer", "raw": True, "prompt": await ollama.render(BODY) + first.raw}
    )
    assert first.raw + rest.text == CALL


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
async def test_a_prefix_that_is_left_open_goes_on_exactly(ollama: Ollama, cut: int) -> None:
    said = "".join(SCRIPT.pieces[0][:cut])
    body = {**BODY, "messages": [*BODY["messages"], {"role": "assistant", "content": said}]}
    assert (await ollama.render(body)).endswith(CUE + said)
    rest = await ollama.ask("/api/chat", {**body, "logprobs": True})
    assert said + rest.raw == CALL


async def test_the_old_runner_prints_control_tokens_in_raw_mode_and_keeps_them_in_prompts(old_ollama: Ollama) -> None:
    """The new one hides them: there a raw continuation cannot resume inside a call of such a dialect."""
    script = write_script(Line((CUE,), "Now the call:[CALL]one more"), markers=("[CALL]",))
    await old_ollama.teach("marked", script, Model(control=("[CALL]",)), template="{{ .Prompt }}")
    body = {"model": "marked", "raw": True}
    assert (await old_ollama.ask("/api/generate", {**body, "prompt": CUE})).text == "Now the call:[CALL]one more"
    assert (await old_ollama.ask("/api/generate", {**body, "prompt": f"{CUE}Now the call:[CALL]"})).text == "one more"


async def test_the_logprobs_spell_a_call_that_the_parser_drops(ollama: Ollama) -> None:
    answer = await ollama.ask("/api/chat", {**BODY, "logprobs": True, "options": {"num_predict": 30}})
    assert (answer.text, answer.calls) == ("I write the cases.", [])
    assert answer.raw == "".join(SCRIPT.pieces[0][:30])


async def test_without_logprobs_only_the_count_tells_of_a_dropped_call(ollama: Ollama) -> None:
    answer = await ollama.ask("/api/chat", {**BODY, "options": {"num_predict": 30}})
    assert (answer.text, answer.reason, answer.count("eval_count")) == ("I write the cases.", "length", 30)
