"""What becomes of a prompt that is too long: the table of Ollama's `truncate` and `shift`, generation by generation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import pytest

from gateway.testing.client import Client
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always, says

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
WINDOW = 200
LONG = {"role": "user", "content": "word " * 400}
SHORT = {"role": "user", "content": "And now?"}
SYSTEM = {"role": "system", "content": "Be brief."}
TOO_LONG = "the prompt is longer than the context length currently available to the model"
EXCEEDS = "exceeds the available context size"
EXCEEDS_OLD = "the input length exceeds the context length"
CUT_NEW = WINDOW - (WINDOW - 4) // 2

OVERFLOWS: list[tuple[Generation, str, Mapping[str, object], object]] = [
    (NEW, "qwen3-coder", {}, CUT_NEW),
    (NEW, "qwen3-coder", {"shift": False}, TOO_LONG),
    (NEW, "qwen3-coder", {"truncate": False}, EXCEEDS),
    (NEW, "qwen3-coder", {"truncate": False, "shift": False}, EXCEEDS),
    (NEW, "native", {}, EXCEEDS),
    (NEW, "native", {"truncate": False}, EXCEEDS),
    (OLD, "qwen3-coder", {}, WINDOW),
    (OLD, "qwen3-coder", {"shift": False}, WINDOW),
    (OLD, "qwen3-coder", {"truncate": False}, EXCEEDS_OLD),
    (OLD, "qwen3-coder", {"truncate": False, "shift": False}, EXCEEDS_OLD),
]


@pytest.mark.parametrize(("generation", "family", "flags", "outcome"), OVERFLOWS)
async def test_a_last_message_that_does_not_fit(
    generation: Generation, family: str, flags: Mapping[str, object], outcome: object, play: Play
) -> None:
    model = SimModel(name="m", family=FAMILIES[family], script=always("ok"))
    server, client = await play(model, generation=generation)
    answer = await client.post("/api/chat", {"model": "m", "messages": [LONG], "options": {"num_ctx": WINDOW}, **flags})
    asked = server.generations[0]
    if isinstance(outcome, str):
        assert (answer.status, outcome in answer.text) == (400, True)
        assert asked.prompt_tokens > WINDOW
        return
    assert (answer.status, asked.prompt_tokens, answer.lines[-1]["prompt_eval_count"]) == (200, outcome, outcome)
    assert (
        asked.cut_tokens
        == model.count(model.family.shape.render((LONG,), (), None, model.family.dialect)) - asked.prompt_tokens
    )
    assert asked.prompt.startswith("<|im_start|>user")


async def test_the_oldest_messages_vanish_in_silence_but_never_the_system(play: Play) -> None:
    model = SimModel(name="m", script=lambda ask: says(" | ".join(str(m["content"])[:9] for m in ask.messages)))
    server, client = await play(model)
    first = {"role": "user", "content": "The task: " + "word " * 300}
    messages = [SYSTEM, first, {"role": "assistant", "content": "I did."}, SHORT]
    answer = await client.post("/api/chat", {"model": "m", "messages": messages, "options": {"num_ctx": WINDOW}})
    assert answer.content == "Be brief. | I did. | And now?"
    assert (answer.status, server.generations[0].dropped_messages) == (200, 1)
    probe = {"model": "m", "messages": messages, "options": {"num_ctx": WINDOW}, "_debug_render_only": True}
    assert "The task" not in (await client.post("/api/chat", probe)).text
    assert "The task" in (await client.post("/api/chat", {**probe, "truncate": False})).text


async def test_the_error_names_the_exact_counts(play: Play) -> None:
    server, client = await play(SimModel(name="m", script=always("ok")))
    body = {"model": "m", "messages": [LONG], "truncate": False, "options": {"num_ctx": WINDOW}}
    text = (await client.post("/api/chat", body)).text
    tokens = server.generations[0].prompt_tokens
    assert f"request ({tokens} tokens) exceeds the available context size ({WINDOW} tokens)" in text
    assert f'\\"n_prompt_tokens\\":{tokens},\\"n_ctx\\":{WINDOW}' in text


@pytest.mark.parametrize(("generation", "status"), [(OLD, 200), (NEW, 400)])
async def test_a_prompt_of_exactly_the_window(generation: Generation, status: int, play: Play) -> None:
    model = SimModel(name="m", script=always("ok"))
    size = model.count(model.family.shape.render((SHORT,), (), None, model.family.dialect))
    _, client = await play(model, generation=generation)
    for window, expected in ((size + 1, 200), (size, status), (size - 1, 400)):
        body = {"model": "m", "messages": [SHORT], "truncate": False, "options": {"num_ctx": window}}
        assert (await client.post("/api/chat", body)).status == expected


async def test_v1_cannot_forbid_the_cut(play: Play) -> None:
    server, client = await play(SimModel(name="m", script=always("ok"), parameters={"num_ctx": WINDOW}))
    body = {"model": "m", "messages": [LONG], "truncate": False, "shift": False, "options": {"num_ctx": 9999}}
    assert (await client.post("/v1/chat/completions", body)).status == 200
    assert server.generations[0].cut_tokens > 0


async def test_pictures_take_their_place(play: Play) -> None:
    server, client = await play(SimModel(name="m", script=always("ok"), vision=True))
    for images in ([], ["aGk="]):
        await client.post("/api/chat", {"model": "m", "messages": [{**SHORT, "images": images}]})
    without, with_one = (asked.prompt_tokens for asked in server.generations)
    assert 768 < with_one - without < 780
