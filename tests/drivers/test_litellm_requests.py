"""The litellm driver: what it sends, where, and what it never sends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import respx

from gateway.core.conversation import Completion, Image, Message, Prose, Sampling, ToolCall
from gateway.core.failures import FailureKind
from gateway.core.plan import Target, Try
from gateway.core.policy.timeouts import Timeouts
from gateway.drivers.litellm_cloud import LiteLLMCloud
from gateway.ports import UpstreamFailed
from tests.drivers.clouds import HOSTS, KEY, MODELS, WRITE, answer, attempt_at, collect, driver_of, question, said

PROVIDERS = pytest.mark.parametrize("provider", ["gemini", "mistral", "openrouter"])
LEAK = "what-the-client-put-beside"
HOSTILE = {
    "api_base": f"https://{LEAK}.example",
    "base_url": f"https://{LEAK}.example",
    "headers": {"x-leak": LEAK},
    "extra_headers": {"x-leak": LEAK},
    "mock_response": LEAK,
    "proxy": LEAK,
    "foo_bar": LEAK,
    "model": LEAK,
}


@pytest.fixture
async def wire() -> AsyncIterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


async def sent(wire: respx.MockRouter, provider: str, conversation: object, **more: int) -> httpx.Request:
    driver = driver_of(provider)
    wire.route().return_value = answer(said(provider, "Hello"), said(provider, end="stop"))
    await collect(driver, conversation, attempt_at(provider, **more))  # type: ignore[arg-type]
    await driver.close()
    assert len(wire.calls) == 1
    request: httpx.Request = wire.calls[0].request
    return request


def history() -> list[Message]:
    beside = {"leak": LEAK}
    return [
        Message(role="system", content=(Prose("Be brief", beside),), extra=beside),
        Message(role="user", content=(Prose("Write a.py"),), extra=beside),
        Message(
            role="assistant",
            thinking=f"secret thoughts {LEAK}",
            calls=(ToolCall(id="call_0123456789abcdef", name="write", arguments='{"path": "a.py"}', extra=beside),),
            extra=beside,
        ),
        Message(role="tool", content=(Prose("done"),), answers="call_0123456789abcdef", extra=beside),
        Message(role="user", content=(Prose("Thanks"),)),
    ]


@PROVIDERS
async def test_a_client_reaches_the_provider_with_nothing_but_its_conversation(
    wire: respx.MockRouter, provider: str
) -> None:
    asked = replace(
        question(*history(), tools=[replace(WRITE, extra={"leak": LEAK})]), extra=HOSTILE, options={"num_ctx": LEAK}
    )
    request = await sent(wire, provider, asked)
    assert request.url.host == HOSTS[provider]
    assert MODELS[provider] in str(request.url) or json.loads(request.content)["model"] == MODELS[provider]
    assert LEAK not in request.content.decode()
    assert LEAK not in str(request.url)
    assert LEAK not in str(request.headers)
    for word in ("Be brief", "Write a.py", "a.py", "done", "Thanks"):
        assert word in request.content.decode()


@PROVIDERS
async def test_the_key_goes_into_its_header_alone(wire: respx.MockRouter, provider: str) -> None:
    request = await sent(wire, provider, question())
    carrying = [name for name, value in request.headers.items() if KEY in value]
    assert carrying == [{"gemini": "x-goog-api-key"}.get(provider, "authorization")]
    assert KEY not in str(request.url)
    assert KEY not in request.content.decode()


async def test_mistral_gets_ids_as_it_wants_them(wire: respx.MockRouter) -> None:
    body = json.loads((await sent(wire, "mistral", question(*history()))).content)
    call, result = body["messages"][2]["tool_calls"][0]["id"], body["messages"][3]["tool_call_id"]
    assert call == result
    assert len(call) == 9
    assert call.isalnum()


@PROVIDERS
@pytest.mark.parametrize(("asked", "room", "most"), [(None, 0, 16384), (None, 500, 500), (100, 500, 100)])
async def test_an_answer_is_never_asked_for_without_bound(
    wire: respx.MockRouter, provider: str, asked: int | None, room: int, most: int
) -> None:
    conversation = question(sampling=Sampling(max_tokens=asked))
    body = json.loads((await sent(wire, provider, conversation, num_predict=room)).content)
    found = body["generationConfig"]["max_output_tokens"] if provider == "gemini" else body["max_tokens"]
    assert found == most


@PROVIDERS
async def test_tools_and_effort_arrive(wire: respx.MockRouter, provider: str) -> None:
    body = (await sent(wire, provider, replace(question(tools=[WRITE]), think=True))).content.decode()
    assert '"write"' in body
    assert "medium" in body or provider == "mistral"  # litellm's list of models that think is not ours


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("image", FailureKind.REFUSED),
        ("completion", FailureKind.REFUSED),
        ("terms", FailureKind.UNAUTHORIZED),
        ("key", FailureKind.UNAUTHORIZED),
        ("model", FailureKind.MODEL_MISSING),
        ("path", FailureKind.MODEL_MISSING),
    ],
)
async def test_what_is_not_sent(wire: respx.MockRouter, what: str, kind: FailureKind) -> None:
    driver, attempt, asked = driver_of("gemini"), attempt_at("gemini"), question()
    match what:
        case "image":
            asked = question(Message(role="user", content=(Image("aGk=", "image/png"),)))
        case "completion":
            asked = replace(asked, messages=(), completion=Completion(prompt="def f("))
        case "terms":
            driver = driver_of("gemini", accepts_terms=False)
        case "key":
            driver = LiteLLMCloud("gemini", driver._targets, keys={}, timeouts=Timeouts())
        case "model":
            attempt = Try(target=Target("gemini", "gemini-2.5-pro"))
        case _:
            attempt = Try(target=Target("gemini", "../../../evil?x="))
    with pytest.raises(UpstreamFailed) as caught:
        await collect(driver, asked, attempt)
    assert caught.value.failure.kind is kind
    assert not wire.calls
    await driver.close()


@PROVIDERS
async def test_looking_at_a_provider_sends_nothing(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider)
    await driver.alive()
    assert [(each.name, each.away) for each in await driver.models()] == [(MODELS[provider], True)]
    facts = await driver.describe(MODELS[provider])
    assert (facts.configured, facts.away) == (200_000, True)
    assert await driver.loaded() == []
    await driver.load(MODELS[provider], window=None)
    assert await driver.render(question(), attempt_at(provider)) is None
    assert await driver.count(question(), attempt_at(provider)) is None
    assert not wire.calls
    await driver.close()


_LOADS = """
import asyncio, socket, sys
asked = []
def lookup(*arguments, **more):
    asked.append(arguments[0])
    raise OSError("no network")
socket.getaddrinfo = lookup
from gateway.drivers.litellm_cloud import LiteLLMCloud
from gateway.core.policy.cloud import CloudTarget
from gateway.core.policy.timeouts import Timeouts
assert "litellm" not in sys.modules and "httpx" not in sys.modules, "loaded before it was needed"
driver = LiteLLMCloud("gemini", {"m": CloudTarget()}, keys={}, timeouts=Timeouts())
asyncio.run(driver.load("m", window=None))
assert "litellm" in sys.modules
print(asked)
"""


def test_litellm_is_loaded_late_and_phones_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADS], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


_MISSING = """
import asyncio, sys
sys.modules["litellm"] = None
from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.plan import Target, Try
from gateway.core.policy.cloud import CloudTarget
from gateway.core.policy.timeouts import Timeouts
from gateway.drivers.litellm_cloud import LiteLLMCloud
from gateway.ports import UpstreamFailed
async def ask():
    driver = LiteLLMCloud("gemini", {"m": CloudTarget(accepts_terms=True)}, keys={"m": "k"}, timeouts=Timeouts())
    await driver.describe("m")
    asked = Conversation(model="m", messages=(Message(role="user", content=(Prose("hi"),)),))
    try:
        async for _ in driver.stream(asked, Try(target=Target("gemini", "m"))):
            pass
    except UpstreamFailed as error:
        print(error.failure.kind, error.failure.detail)
asyncio.run(ask())
"""


def test_without_litellm_the_error_says_how_to_get_it() -> None:
    done = subprocess.run([sys.executable, "-c", _MISSING], capture_output=True, text=True, timeout=100, check=False)
    assert "refused" in done.stdout, done.stderr
    assert "pip install 'holdfast[cloud]'" in done.stdout
