"""OpenAI-compatible servers: which one it is, what it says of its window, how it counts, how it goes on, when it has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.app import assemble
from gateway.config.load import with_upstreams
from gateway.core.conversation import Completion, Conversation, Message, Prose, ToolSpec
from gateway.core.failures import FailureKind
from gateway.core.plan import Mode, Target, Try
from gateway.core.policy import Policy
from gateway.core.stream import Text
from gateway.drivers.http import Http
from gateway.drivers.openai_compat import OpenAICompatible
from gateway.ports import UpstreamFailed
from gateway.server.running import Running
from tests.drivers.openai_servers import CLOSE, TEXT, TRAINED, WINDOW, End, Flavour, Server, serving

ASKED = Conversation(model="m", messages=(Message(role="user", content=(Prose("Go."),)),))
WITH_TOOLS = Conversation(model="m", messages=ASKED.messages, tools=(ToolSpec(name="f"),))
BARE = Conversation(model="m", completion=Completion(prompt="Once upon a time"))
PROMPT = f"<user>Go.{CLOSE}<assistant>"
FIRST = Try(target=Target("o", "m"))


@asynccontextmanager
async def described(server: Server) -> AsyncIterator[OpenAICompatible]:
    """The driver before a server, after it was asked for its model."""
    async with serving(server):
        driver = OpenAICompatible(Http(server.url))
        await driver.describe("m")
        try:
            yield driver
        finally:
            await driver.close()


@pytest.mark.parametrize(
    ("flavour", "kind", "trained", "modes"),
    [
        ("llama.cpp", "llama.cpp", TRAINED, (Mode.PREFILL, Mode.RAW)),
        ("vLLM", "vLLM", None, (Mode.PREFILL, Mode.RAW)),
        ("LM Studio", "LM Studio", TRAINED, ()),
        ("cloud", "openai", None, ()),
    ],
)
async def test_a_server_is_recognised(
    flavour: Flavour, kind: str, trained: int | None, modes: tuple[Mode, ...]
) -> None:
    async with described(Server(flavour)) as driver:
        facts = await driver.describe("m")
        assert (facts.configured, facts.trained) == (WINDOW, trained)
        assert (await driver.alive(), driver.modes) == (kind, modes)


@pytest.mark.parametrize(("flavour", "window"), [("llama.cpp", WINDOW), ("LM Studio", WINDOW), ("cloud", None)])
async def test_what_is_in_memory(flavour: Flavour, window: int | None) -> None:
    async with described(Server(flavour)) as driver:
        loaded = await driver.loaded()
    assert [(each.name, each.window) for each in loaded] == ([("m", window)] if window else [])


@pytest.mark.parametrize("conversation", [ASKED, WITH_TOOLS, BARE], ids=["chat", "tools", "bare"])
async def test_counts_are_the_servers_own(conversation: Conversation) -> None:
    """The old llama.cpp has no endpoint for it: its template and its tokenizer give the same."""
    counts = []
    for flavour in ("llama.cpp", "old llama.cpp"):
        async with described(Server(flavour)) as driver:
            counts.append(await driver.count(conversation, FIRST))
    assert counts[0] == counts[1]
    async with described(Server("vLLM")) as driver:
        told = await driver.count(conversation, FIRST)
    assert told is not None
    assert counts[0] == told + (len("<s>") if conversation.completion else 0)


@pytest.mark.parametrize("flavour", ["LM Studio", "cloud"])
async def test_a_server_that_cannot_count_is_not_asked_to(flavour: Flavour) -> None:
    server = Server(flavour)
    async with described(server) as driver:
        before = len(server.asked)
        assert await driver.count(ASKED, FIRST) is None
        assert await driver.render(ASKED, FIRST) is None
    assert len(server.asked) == before


async def test_an_endpoint_that_is_absent_is_asked_for_once() -> None:
    server = Server("old llama.cpp")
    async with described(server) as driver:
        await driver.count(ASKED, FIRST)
        await driver.count(ASKED, FIRST)
    assert server.paths().count("/v1/chat/completions/input_tokens") == 1


@pytest.mark.parametrize(("flavour", "begins"), [("llama.cpp", ""), ("vLLM", "<s>")])
async def test_the_prompt_is_the_servers_own_and_a_prefix_stays_open(flavour: Flavour, begins: str) -> None:
    longer = Conversation(model="m", messages=(*ASKED.messages, Message(role="assistant", content=(Prose("Tok"),))))
    async with described(Server(flavour)) as driver:
        assert await driver.render(ASKED, FIRST) == begins + PROMPT
        assert await driver.render(longer, FIRST) == f"{begins}{PROMPT}Tok"


async def test_vllm_is_told_what_its_template_needs() -> None:
    server = Server("vLLM")
    asked = Conversation(model="m", messages=ASKED.messages, tools=WITH_TOOLS.tools, think=False)
    async with described(server) as driver:
        await driver.count(asked, FIRST)
    (body,) = server.bodies("/tokenize")
    assert set(body) == {"model", "messages", "tools", "chat_template_kwargs"}


@pytest.mark.parametrize("flavour", ["llama.cpp", "vLLM"])
async def test_a_prefill_goes_on_and_says_so(flavour: Flavour) -> None:
    server = Server(flavour)
    async with described(server) as driver:
        attempt = Try(target=FIRST.target, mode=Mode.PREFILL, text=TEXT[:30])
        assert await _said(driver, attempt) == TEXT[30:]
    (body,) = server.bodies("/v1/chat/completions")
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


@pytest.mark.parametrize(("flavour", "special"), [("llama.cpp", None), ("vLLM", False)])
async def test_a_raw_prompt_goes_on_and_brings_its_own_markers(flavour: Flavour, special: bool | None) -> None:
    server = Server(flavour)
    async with described(server) as driver:
        attempt = Try(target=FIRST.target, mode=Mode.RAW, prompt=PROMPT + TEXT[:30], text=TEXT[:30])
        assert await _said(driver, attempt) == TEXT[30:]
        assert driver.prints_control is (special is False)
    (body,) = server.bodies("/v1/completions")
    assert (body.get("add_special_tokens"), body.get("skip_special_tokens")) == (special, special)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("whole", None),
        ("no done", None),  # the finish reason says it: nothing but the usage can be missing
        ("no finish", FailureKind.CUT),  # some gateways send [DONE] after a dead upstream
        ("error", FailureKind.OUT_OF_MEMORY),
        ("reset", FailureKind.CUT),
    ],
)
async def test_a_stream_has_ended_where_its_finish_reason_says_so(end: End, kind: FailureKind | None) -> None:
    async with described(Server("vLLM", end=end)) as driver:
        if kind is None:
            assert await _said(driver, FIRST) == TEXT
            return
        with pytest.raises(UpstreamFailed) as failed:
            await _said(driver, FIRST)
    assert failed.value.failure.kind is kind


@pytest.mark.parametrize("flavour", ["llama.cpp", "vLLM", "LM Studio"])
@pytest.mark.parametrize("closes", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("death", [0, 1, 40, len(TEXT) - 1])
async def test_a_stream_that_dies_is_whole_for_the_client(
    tmp_path: Path, flavour: Flavour, closes: bool, death: int
) -> None:
    server = Server(flavour, deaths=[death], closes=closes)
    async with serving(server):
        policy = with_upstreams(Policy(), ollama=None, openai=server.url)
        policy = replace(policy, server=replace(policy.server, port=0))
        assembly = assemble(policy, state=tmp_path / "state")
        running = Running(assembly.front, policy, close=assembly.close)
        await running.start()
        try:
            seen = await _asked_through(running.url)
        finally:
            await running.stop()
    assert seen == (TEXT, "stop")
    assert len(server.deaths) == 0


async def _said(driver: OpenAICompatible, attempt: Try) -> str:
    batches = [batch async for batch in driver.stream(ASKED, attempt)]
    return "".join(part.text for batch in batches for part in batch if isinstance(part, Text))


async def _asked_through(url: str) -> tuple[str, str]:
    body = {"model": "m", "messages": [{"role": "user", "content": "Go."}]}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/v1/chat/completions", json=body) as answer:
        choice = (await answer.json())["choices"][0]
    return choice["message"]["content"], choice["finish_reason"]
