"""Which dialect a model speaks: as policy says, else as its template teaches, else as its name tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, ToolReader, choose
from gateway.core.stream import Call

CALL = Call(id="", name="NAME", arguments='{"KEY": "VALUE"}')


def test_names_are_unique() -> None:
    names = [dialect.name for dialect in (*DIALECTS, AUTOMATIC)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_policy_names_it(dialect: object) -> None:
    name = getattr(dialect, "name", "")
    assert choose(named=name, family="qwen2", model="qwen2.5", template="[TOOL_CALLS]") is dialect


def test_policy_may_ask_for_recognition() -> None:
    assert choose(named="automatic", family="qwen2", model="qwen2.5:7b", template="<tool_call>") is AUTOMATIC


TEACHES_NOTHING = {"cline"}  # the client's system prompt teaches it, no template does


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d.name not in TEACHES_NOTHING], ids=lambda d: str(d.name))
def test_a_template_that_shows_a_call_teaches_it(dialect: object) -> None:
    for known in DIALECTS:
        if known is dialect:
            template = "{{ range .Messages }}" + known.render(CALL) + "{{ end }}"
            assert choose(named="", family="", model="", template=template) is known


@pytest.mark.parametrize(
    ("model", "family", "name"),
    [
        ("qwen3-coder:30b", "qwen3moe", "qwen3-coder"),
        ("hf.co/unsloth/Qwen3-Coder-Next-GGUF:Q4_K_M", "qwen3next", "qwen3-coder"),
        ("qwen3.5:35b", "qwen35moe", "qwen3-coder"),
        ("my-finetune", "qwen35", "qwen3-coder"),
        ("qwen3:8b", "qwen3", "hermes"),
        ("qwen2.5-coder:7b", "qwen2", "hermes"),
        ("granite4:micro", "granite", "hermes"),
        ("granite3.3:8b", "granite", "granite3"),
        ("glm-4.6:355b", "glm4moe", "glm-4.5"),
        ("glm-4.7-flash:30b", "glm4moelite", "glm-4.7"),
        ("deepseek-r1:671b", "deepseek2", "deepseek-v3"),
        ("deepseek-v3.1:671b", "deepseek2", "deepseek-v3.1"),
        ("deepseek-v3.2:685b", "deepseek2", "deepseek-dsml"),
        ("kimi-k2:1t", "deepseek2", "kimi-k2"),
        ("mistral-nemo:12b", "llama", "mistral-array"),
        ("devstral-small-2:24b", "mistral3", "mistral-args"),
        ("mistral-small3.2:24b", "mistral3", "mistral-args"),
        ("llama3.2:3b", "llama", "llama3-json"),
        ("llama4:scout", "llama4", "pythonic"),
        ("gpt-oss:20b", "gptoss", "harmony"),
        ("muse-glimmer:27b", "glimmer", "glimmer"),
        ("gemma4:31b", "gemma4", "gemma4"),
        ("command-r7b:7b", "cohere2", "cohere-action"),
        ("command-r-plus:104b", "command-r", "cohere-fence"),
        ("nemotron-3-nano:30b", "nemotron_h_moe", "qwen3-coder"),
        ("nemotron-nano-v2:9b", "nemotron_h", "nemotron-nano-v2"),
        ("phi4-mini:3.8b", "phi3", "phi4-functools"),
        ("codellama:34b", "llama", "automatic"),
        ("whatever", "", "automatic"),
    ],
)
def test_a_name_tells_it(model: str, family: str, name: str) -> None:
    assert choose(named="", family=family, model=model, template="{{ .Prompt }}").name == name


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_marked_dialect_is_recognised_from_any_model(dialect: object) -> None:
    """The models that were trained on one dialect and prompted for another write whichever they like."""
    tools = (ToolSpec(name="NAME", parameters={"type": "object", "properties": {"KEY": {"type": "string"}}}),)
    for known in DIALECTS:
        if known is dialect:
            reader = ToolReader(AUTOMATIC, tools)
            [call] = [*reader.feed(known.render(CALL)), *reader.close()]
            assert isinstance(call, Call)
            assert (call.name, call.arguments.replace(" ", "")) == ("NAME", '{"KEY":"VALUE"}')


def test_every_dialect_stands_in_the_manual() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tool-calls.md").read_text(encoding="utf-8")
    assert [dialect.name for dialect in DIALECTS if f"`{dialect.name}`" not in page] == []
