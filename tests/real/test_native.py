"""The new generation's native path: a model with only a chat template, whose calls the runner parses (here the stand-in)."""

from __future__ import annotations

import pytest

from tests.real.dialects import DIALECTS
from tests.real.ollama import Ollama
from tests.real.parsers_table import WRITE_FILE, judge
from tests.real.saying import Model
from tests.real.script import Line, write_script
from tests.real.spelling import VISIBLE
from tests.real.stand_in.faults import Fault

pytestmark = pytest.mark.real

CUE = "<|im_start|>assistant\n"
TEMPLATE = (
    "{%- if tools -%}{{ tools | tojson }}{%- endif -%}"
    "{%- for turn in messages -%}<|im_start|>{{ turn.role }}: {{ turn.content }}{{ turn.tool_calls }}<|im_end|>{%- endfor -%}"
)
HERMES = next(dialect for dialect in DIALECTS if dialect.parser == "qwen3")
BODY = {"model": "native", "messages": [{"role": "user", "content": "Write."}], "tools": [WRITE_FILE]}


@pytest.fixture(autouse=True)
async def _native(new_ollama: Ollama) -> None:
    new_ollama.plan()
    script = write_script(Line((CUE,), HERMES.lead + HERMES.spelling.whole), markers=HERMES.markers)
    await new_ollama.teach("native", script, Model(chat_template=TEMPLATE))


async def test_the_runner_parses_the_call(new_ollama: Ollama) -> None:
    answer = await new_ollama.ask("/api/chat", BODY)
    assert judge(answer).word == "whole"
    assert answer.text.strip() == VISIBLE


async def test_a_cut_call_is_an_error(new_ollama: Ollama) -> None:
    answer = await new_ollama.ask("/api/chat", {**BODY, "options": {"num_predict": 20}})
    assert answer.error is not None
    assert answer.error.startswith('llama-server returned invalid tool call arguments for "write_file": ')


async def test_an_error_event_is_told(new_ollama: Ollama) -> None:
    event = '{"error":{"code":500,"message":"Compute error.","type":"server_error"}}'
    new_ollama.plan(Fault("token", "event", after=2, text=event))
    answer = await new_ollama.ask("/api/chat", BODY)
    assert answer.error == "llama-server chat error: map[code:500 message:Compute error. type:server_error]"


async def test_a_prefix_is_left_open(new_ollama: Ollama) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": "Write."}, {"role": "assistant", "content": "Writ"}]}
    assert (await new_ollama.render(body)).endswith(f"{CUE}Writ")
