"""Every dialect with a parser, through the real server of each generation: the prompt's tail, the raw text, and where a good call goes wrong."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.dialects import DIALECTS, Dialect
from tests.real.ollama import Ollama
from tests.real.parsers_table import judge, question, teach

pytestmark = pytest.mark.real

DAMAGED = {"lfm2", "lfm2-thinking", "functiongemma"}  # lfm2 leaves "\n" undecoded; functiongemma cannot read two lines


CASES = [
    pytest.param(generation, dialect, id=f"{generation}-{dialect.name}")
    for dialect in DIALECTS
    for generation in dialect.generations
]


@pytest.mark.parametrize(("generation", "dialect"), CASES)
async def test_a_good_call(request: pytest.FixtureRequest, generation: str, dialect: Dialect) -> None:
    ollama: Ollama = request.getfixturevalue(f"{generation}_ollama")
    await teach(ollama, dialect, dialect.says(dialect.spelling.whole))
    assert (await ollama.render(question(dialect))).endswith(dialect.cue)
    answer = await ollama.ask("/api/chat", {**question(dialect), "logprobs": True})
    assert answer.raw == dialect.lead + dialect.spelling.whole
    assert judge(answer).word == ("WRONG" if dialect.name in DAMAGED else "whole")


async def test_a_parser_error_can_block_the_old_runner_until_the_model_is_unloaded(old_ollama: Ollama) -> None:
    """v0.24.0 goes on with the generation after it; whoever is told of the next token has left, so the slot is never free again."""
    dialect = DIALECTS[0]
    await teach(old_ollama, dialect, dialect.says(f"{dialect.spelling.malformed}\n\nThat is all there is to say."))
    for _ in range(50):
        try:
            await asyncio.wait_for(old_ollama.ask("/api/chat", question(dialect)), 5)
        except TimeoutError:
            break
    else:
        pytest.skip("the race was not lost this time")
    assert (await old_ollama.render(question(dialect))).endswith(dialect.cue)
    await old_ollama.unload(dialect.name)
    healed = await asyncio.wait_for(old_ollama.ask("/api/chat", question(dialect)), 10)
    assert judge(healed).word == "error"
