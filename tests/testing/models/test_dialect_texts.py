"""How the simulated models write calls: the texts that the real families write."""

from __future__ import annotations

import pytest

from gateway.testing.models.dialects import DIALECTS
from gateway.testing.script import ToolUse, Turn, says

CALL = ToolUse("write", {"path": "a.py", "n": 2})

WRITTEN = {
    "qwen3-coder": "<tool_call>\n<function=write>\n<parameter=path>\na.py\n</parameter>\n<parameter=n>\n2\n</parameter>\n</function>\n</tool_call>",
    "hermes": '<tool_call>\n{"name": "write", "arguments": {"path": "a.py", "n": 2}}\n</tool_call>',
    "glm-4.7": "<tool_call>write<arg_key>path</arg_key><arg_value>a.py</arg_value><arg_key>n</arg_key><arg_value>2</arg_value></tool_call>",
    "harmony": '<|channel|>commentary to=functions.write <|constrain|>json<|message|>{"path": "a.py", "n": 2}',
    "mistral": '[TOOL_CALLS]write[ARGS]{"path": "a.py", "n": 2}',
    "gemma4": '<|tool_call>call:write{path:<|"|>a.py<|"|>,n:2}<tool_call|>',
    "deepseek-v3.1": '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write<｜tool▁sep｜>{"path": "a.py", "n": 2}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "llama3-json": '{"name": "write", "parameters": {"path": "a.py", "n": 2}}',
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_call_is_written_as_its_family_writes_it(name: str) -> None:
    assert DIALECTS[name].write(Turn(calls=(CALL,))) == WRITTEN[name]


def test_thought_text_and_calls_stand_in_order() -> None:
    assert DIALECTS["glm-4.7"].write(says("So.", ToolUse("ls"), ToolUse("pwd"), thinking="Hm.")) == (
        "<think>Hm.</think>So.<tool_call>ls</tool_call><tool_call>pwd</tool_call>"
    )


def test_harmony_opens_a_message_for_each_part() -> None:
    assert DIALECTS["harmony"].write(says("So.", ToolUse("ls"), thinking="Hm.")) == (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>So."
        "<|end|><|start|>assistant<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}"
    )


def test_gemma_writes_nested_values() -> None:
    use = ToolUse("f", {"a": [1, "x"], "o": {"k": True}, "z": None})
    assert DIALECTS["gemma4"].write(Turn(calls=(use,))) == (
        '<|tool_call>call:f{a:[1,<|"|>x<|"|>],o:{k:true},z:null}<tool_call|>'
    )


def test_raw_is_said_as_it_is() -> None:
    assert DIALECTS["hermes"].write(Turn(raw="<tool_call>\n{", text="not this")) == "<tool_call>\n{"
