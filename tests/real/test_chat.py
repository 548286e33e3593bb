"""A real Ollama of each generation, alone: chat, stream, thinking, tools, options, counts, embeddings."""

from __future__ import annotations

import pytest

from tests.real.answer import message
from tests.real.ollama import Ollama
from tests.real.parsers_table import WRITE_FILE
from tests.real.saying import UNPROMPTED
from tests.real.script import Line, write_script
from tests.real.spelling import PATH, TOOL

pytestmark = pytest.mark.real

CUE = "<|im_start|>assistant\n"
TEXT = "The answer is forty-two, as ever; the question is another matter."
HELLO = [{"role": "user", "content": "Hello."}]


@pytest.fixture(name="model")
async def _model(ollama: Ollama) -> str:
    script = write_script(Line((CUE,), TEXT), Line((f"Be brief.<|im_end|>\n{CUE}",), "Yes."))
    await ollama.teach("plain", script, renderer="qwen3-coder", parser="qwen3-coder")
    return "plain"


async def test_a_chat_says_the_line_at_any_temperature(ollama: Ollama, model: str) -> None:
    body = {"model": model, "messages": HELLO, "options": {"temperature": 2.0, "seed": 7}}
    answer = await ollama.ask("/api/chat", body)
    assert (answer.status, answer.text, answer.reason) == (200, TEXT, "stop")


async def test_the_last_words_of_the_user_choose_the_line(ollama: Ollama, model: str) -> None:
    turns = [*HELLO, {"role": "assistant", "content": TEXT}, {"role": "user", "content": "Is it? Be brief."}]
    assert (await ollama.ask("/api/chat", {"model": model, "messages": turns})).text == "Yes."


async def test_a_prompt_without_a_cue_is_told_so(ollama: Ollama, model: str) -> None:
    body = {"model": model, "raw": True, "prompt": "Once upon a time", "stream": False}
    assert (await ollama.ask("/api/generate", body)).text == UNPROMPTED


async def test_a_stream_brings_one_line_for_each_token_and_a_last_one(ollama: Ollama, model: str) -> None:
    lines = [line async for line in ollama.stream("/api/chat", {"model": model, "messages": HELLO})]
    assert "".join(str(message(line)["content"]) for line in lines) == TEXT
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert len(lines) > 10


async def test_counts_are_those_of_prompt_and_answer(ollama: Ollama, model: str) -> None:
    body = {"model": model, "messages": HELLO}
    answer = await ollama.ask("/api/chat", body)
    prompt = await ollama.render(body)
    others = prompt.removesuffix(CUE)
    markers = others.count("<|im_start|>") + others.count("<|im_end|>")
    letters = others.replace("<|im_start|>", "").replace("<|im_end|>", "")
    assert answer.count("prompt_eval_count") == len(letters.encode()) + markers + 1
    assert answer.count("eval_count") == len(answer.lines)


async def test_num_predict_cuts_and_says_length(ollama: Ollama, model: str) -> None:
    body = {"model": model, "messages": HELLO, "options": {"num_predict": 4}}
    answer = await ollama.ask("/api/chat", body)
    assert (answer.reason, answer.count("eval_count")) == ("length", 4)
    assert TEXT.startswith(answer.text)


async def test_a_stop_string_ends_the_answer_before_it(ollama: Ollama, model: str) -> None:
    body = {"model": model, "messages": HELLO, "options": {"stop": ["forty-"]}}
    answer = await ollama.ask("/api/chat", body)
    assert (answer.text, answer.reason) == ("The answer is", "stop")


async def test_thinking_comes_apart_from_the_answer(ollama: Ollama) -> None:
    cue = f"{CUE}<think>\n"
    script = write_script(Line((cue,), f"Six times seven?\n</think>\n\n{TEXT}"), markers=("</think>",))
    await ollama.teach("thinker", script, renderer="qwen3.5", parser="qwen3.5")
    answer = await ollama.ask("/api/chat", {"model": "thinker", "messages": HELLO})
    assert (answer.thinking, answer.text) == ("Six times seven?", TEXT)


async def test_a_tool_result_chooses_what_is_said_next(ollama: Ollama) -> None:
    call = f"<tool_call>\n<function={TOOL}>\n<parameter=path>\n{PATH}\n</parameter>\n</function>\n</tool_call>"
    after = f"written\n</tool_response><|im_end|>\n{CUE}"
    script = write_script(Line((CUE,), call), Line((after,), "It is written."), markers=("<tool_call>", "</tool_call>"))
    await ollama.teach("agent", script, renderer="qwen3-coder", parser="qwen3-coder")
    body = {"model": "agent", "messages": HELLO, "tools": [WRITE_FILE]}
    first = await ollama.ask("/api/chat", body)
    assert first.calls == [(TOOL, {"path": PATH})]
    said = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": TOOL, "arguments": {"path": PATH}}}],
    }
    turns = [*HELLO, said, {"role": "tool", "tool_name": TOOL, "content": "written"}]
    assert (await ollama.ask("/api/chat", {**body, "messages": turns})).text == "It is written."


async def test_several_texts_can_share_an_ending(ollama: Ollama) -> None:
    """A second cue that enters at the answer: what `think: false` renders."""
    script = write_script(
        Line((f"{CUE}<think>\n",), f"Six times seven?\n</think>\n\n{TEXT}"),
        Line((f"{CUE}<think>\n\n</think>\n\n",), "No thought was given."),
        markers=("<think>", "</think>"),
    )
    await ollama.teach("both", script, renderer="qwen3.5", parser="qwen3.5")
    body = {"model": "both", "messages": HELLO}
    assert (await ollama.ask("/api/chat", body)).text == TEXT
    assert (await ollama.ask("/api/chat", {**body, "think": False})).text == "No thought was given."


async def test_the_window_that_is_loaded_is_told(ollama: Ollama, model: str) -> None:
    await ollama.ask("/api/chat", {"model": model, "messages": HELLO, "options": {"num_ctx": 2048}})
    models = (await ollama.get("/api/ps"))["models"]
    assert isinstance(models, list)
    assert [entry["context_length"] for entry in models if entry["name"] == "plain:latest"] == [2048]


async def test_embeddings_are_made(ollama: Ollama, model: str) -> None:
    answer = await ollama.ask("/api/embed", {"model": model, "input": "Hello."})
    assert answer.status == 200
    assert answer.last["embeddings"]
