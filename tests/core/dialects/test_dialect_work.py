"""The work grows with the text and no faster, whatever the text: counted in characters looked at, not in time."""

from __future__ import annotations

import json

import pytest

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, Dialect, ToolReader
from gateway.core.stream import Call

TOOLS = (
    ToolSpec(
        name="bash",
        parameters={"type": "object", "properties": {"command": {"type": "string"}, "timeout": {"type": "integer"}}},
    ),
)
SPEAKERS = [
    AUTOMATIC,
    *(dialect for dialect in DIALECTS if dialect.name in ("qwen3-coder", "hermes", "glm-4.7", "llama3-json", "cline")),
]
HOSTILE = [
    "{", "[", "[{", '{"id": ', '{"name": "bash", "arguments": {"command": "', "<", "<tool_call>", "<tool_call>\n{", "<function=bash>", "</tool_call>",
    "<tool_call>\n<function=bash>\n<parameter=command>\n", "\n</parameter>\n", "\n</parameter>\n</function>\n", "\n<parameter=timeout>\n",
    "</b>\n<parameter=timeout>\n", "<tool_call>bash<arg_key>command</arg_key><arg_value>", "</arg_value>", "<bash><command>", "</command><a_b>",
    '\n{"name": "bash", "arguments": {"command": "x"}}\nSo.', '\n{"name": ', '```json\n{"name": "bash"\n', '\n[{"name": "bash", "arguments": {"command": ["',
    "<think>", "<think><tool_call>", "```\n<tool_call>\n{", '```json\n{"name": "bash", "arguments": {}}\n```\n', "```json\n{", "bash{", "[bash(",
    "<|channel|>", "<|start|>assistant", "<|tool_call>call:bash{command:", "\\", '"', '\\"', "'", "\n", " ", "text ", "functions.bash:",
]  # fmt: skip


def work(dialect: Dialect, text: str) -> float:
    """Characters looked at for each one of the text, in 16-byte pieces."""
    reader = ToolReader(dialect, TOOLS)
    for at in range(0, len(text), 16):
        reader.feed(text[at : at + 16])
    reader.cut()
    return reader.looked / len(text)


@pytest.mark.parametrize("opening", ["", "<tool_call>\n<function=bash>\n<parameter=command>\n", "<think>", "```\n"])
@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("dialect", SPEAKERS, ids=lambda dialect: str(dialect.name))
def test_hostile_repetition(dialect: Dialect, unit: str, opening: str) -> None:
    looked = [work(dialect, opening + unit * (size // len(unit))) for size in (1_000, 4_000)]
    assert looked[1] < 2 * looked[0] + 4
    assert looked[1] < 60


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_repetition_of_its_own_markers(dialect: Dialect) -> None:
    call = dialect.render(Call(id="", name="bash", arguments='{"command": "ls", "timeout": 3}'))
    own = [opener.token for opener in (*dialect.openers, *dialect.bare, *dialect.named("bash"))]
    for unit in (*own, *dialect.closers, *dialect.inner, call, call[: len(call) // 2], call[len(call) // 2 :]):
        looked = [work(dialect, unit * (size // len(unit))) for size in (1_000, 4_000)]
        assert looked[1] < 2 * looked[0] + 4, unit
        assert looked[1] < 60, unit


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_a_long_value_is_looked_at_once(dialect: Dialect) -> None:
    value = "".join(f"x[{n}] = \"<b>\" if a < {n} else '\\n'\n" for n in range(2_500))
    text = dialect.render(Call(id="", name="bash", arguments=json.dumps({"command": value})))
    reader = ToolReader(dialect, TOOLS)
    parts = [part for at in range(0, len(text), 16) for part in reader.feed(text[at : at + 16])]
    assert len([*parts, *reader.close()]) == 1
    assert reader.looked < 1.3 * len(text)
