"""Going on after a cut, over HTTP: an open prefill, or raw on the rendered prompt plus what was received."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import pytest

from gateway.testing.client import Client
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import ToolUse, always, by_tool_results, says

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
TOOL: Mapping[str, object] = {
    "type": "function",
    "function": {"name": "run", "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}},
}
HISTORY = [
    {"role": "user", "content": "list it"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "run", "arguments": {"command": "pwd"}}}],
    },
    {"role": "tool", "content": "/home", "tool_name": "run"},
]
NEXT = says("Now the list.", ToolUse("run", {"command": "ls -la | head"}), thinking="")
SCRIPT = by_tool_results(says("Where am I?"), NEXT)


async def rendered(client: Client, body: Mapping[str, object]) -> str:
    info = (await client.post("/api/chat", {**body, "_debug_render_only": True, "truncate": False})).json["_debug_info"]
    assert isinstance(info, dict)
    return str(info["rendered_template"])


@pytest.mark.parametrize("name", ["qwen3-coder", "qwen2.5-coder", "glm-4.7", "qwen3.5", "raw-hermes"])
async def test_raw_goes_on_at_every_cut_in_the_turn_that_the_history_asks_for(name: str, play: Play) -> None:
    model = SimModel(name="m", family=FAMILIES[name], script=SCRIPT)
    server, client = await play(model)
    body = {"model": "m", "messages": HISTORY, "tools": [TOOL]}
    prompt = await rendered(client, body)
    await client.post("/api/chat", body)
    said = server.generations[0].said
    assert "ls -la" in said
    for cut in range(0, len(said), 7):
        raw = {"model": "m", "prompt": prompt + said[:cut], "raw": True}
        assert (await client.post("/api/generate", raw)).content == said[cut:]


async def test_the_rest_of_a_cut_call_after_an_open_prefill_is_plain_content(play: Play) -> None:
    _, client = await play(SimModel(name="m", script=SCRIPT))
    half = "Now the list.\n<tool_call>\n<function=run>\n<parameter=comm"
    body = {"model": "m", "messages": [*HISTORY, {"role": "assistant", "content": half}], "tools": [TOOL]}
    assert (await rendered(client, body)).endswith(half)
    answer = await client.post("/api/chat", body)
    assert (answer.calls, answer.content) == ([], "and>\nls -la | head\n</parameter>\n</function>\n</tool_call>")


async def test_a_closed_template_shows_in_the_probe_and_says_the_turn_anew(play: Play) -> None:
    _, client = await play(SimModel(name="m", family=FAMILIES["qwen2.5-coder"], script=SCRIPT))
    body = {"model": "m", "messages": [*HISTORY, {"role": "assistant", "content": "Now the"}], "tools": [TOOL]}
    assert not (await rendered(client, body)).endswith("Now the")
    answer = await client.post("/api/chat", body)
    assert answer.content.startswith("Now the list.")
    assert answer.calls[0]["arguments"] == {"command": "ls -la | head"}


@pytest.mark.parametrize(
    ("name", "generation", "hidden"),
    [
        ("gpt-oss", NEW, True),
        ("devstral", NEW, True),
        ("deepseek-v3.1", NEW, True),
        ("gpt-oss", OLD, False),
        ("qwen3-coder", NEW, False),
    ],
)
async def test_control_tokens_vanish_from_raw_output_of_a_new_server(
    name: str, generation: Generation, hidden: bool, play: Play
) -> None:
    family = FAMILIES[name]
    server, client = await play(SimModel(name="m", family=family, script=SCRIPT), generation=generation)
    body = (
        {"model": "m", "messages": HISTORY, "tools": [TOOL], "think": False}
        if family.thinks
        else {"model": "m", "messages": HISTORY, "tools": [TOOL]}
    )
    prompt = await rendered(client, body)
    answer = await client.post("/api/generate", {"model": "m", "prompt": prompt, "raw": True, "logprobs": True})
    whole = family.dialect.write(NEXT)
    visible = whole
    for token in family.dialect.control:
        visible = visible.replace(token, "")
    assert answer.content == (visible if hidden else whole)
    assert server.generations[0].said_tokens == family.vocabulary.count(whole) + 1
    tokens = [entry["token"] for line in answer.lines[:-1] for entry in line["logprobs"]]  # type: ignore[attr-defined]
    assert "".join(tokens) == answer.content


async def test_the_end_marker_is_never_printed(play: Play) -> None:
    _, client = await play(SimModel(name="m", script=always("ok")))
    prompt = await rendered(client, {"model": "m", "messages": HISTORY[:1]})
    assert (await client.post("/api/generate", {"model": "m", "prompt": prompt, "raw": True})).content == "ok"


async def test_a_raw_prompt_that_nobody_rendered_is_a_users_message(play: Play) -> None:
    _, client = await play(SimModel(name="m", script=lambda ask: says(f"You said {ask.said_by('user')}")))
    answer = await client.post("/api/generate", {"model": "m", "prompt": "once upon", "raw": True})
    assert answer.content == "You said ['once upon']"


async def test_what_is_in_the_slot_is_not_read_again(play: Play) -> None:
    server, client = await play(SimModel(name="m", script=SCRIPT))
    prompt = await rendered(client, {"model": "m", "messages": HISTORY, "tools": [TOOL]})
    await client.post("/api/chat", {"model": "m", "messages": HISTORY, "tools": [TOOL], "options": {"num_predict": 5}})
    said = server.generations[0].said
    await client.post("/api/generate", {"model": "m", "prompt": prompt + said, "raw": True})
    first, second = server.generations
    assert first.read_anew == first.prompt_tokens
    assert second.read_anew <= 2
