"""The litellm driver against the wire forms of Gemini, Mistral and OpenRouter: what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import respx

from gateway.core.failures import Failure, FailureKind
from gateway.core.policy.timeouts import Timeouts
from gateway.core.stream import Stop, StopReason, Usage
from gateway.drivers.cloud_truth import Heard
from gateway.drivers.litellm_cloud import LiteLLMCloud, _Library
from gateway.ports import UpstreamFailed
from tests.drivers.clouds import (
    MODELS,
    WRITE,
    Stream,
    answer,
    attempt_at,
    calls_of,
    collect,
    driver_of,
    question,
    said,
    text_of,
    thought_of,
)

PROVIDERS = pytest.mark.parametrize("provider", ["gemini", "mistral", "openrouter"])
USAGE = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4)


@pytest.fixture
async def wire() -> AsyncIterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


async def failure_of(driver: LiteLLMCloud, provider: str) -> Failure:
    with pytest.raises(UpstreamFailed) as caught:
        await collect(driver, question(), attempt_at(provider))
    await driver.close()
    return caught.value.failure


@PROVIDERS
async def test_text_thoughts_and_calls_stream(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(
        said(provider, thought="hm, "),
        said(provider, thought="so"),
        said(provider, "Hel"),
        said(provider, "lo “ü”"),
        said(provider, calls=["a.py", 'b "quoted"\n.py']),
        said(provider, end="tool_calls"),
    )
    parts = await collect(driver, question(tools=[WRITE]), attempt_at(provider))
    assert thought_of(parts) == "hm, so"
    assert text_of(parts) == "Hello “ü”"
    assert calls_of(parts) == [("write", {"path": "a.py"}), ("write", {"path": 'b "quoted"\n.py'})]
    assert parts[-2:] == [replace(USAGE, model=MODELS[provider]), Stop(StopReason.TOOL_CALLS)]
    await driver.close()


@PROVIDERS
async def test_the_same_piece_many_times_is_no_error(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(*[said(provider, "0, 0, ")] * 300, said(provider, end="stop"))
    assert text_of(await collect(driver, question(), attempt_at(provider))) == "0, 0, " * 300
    await driver.close()


async def test_calls_in_several_of_geminis_chunks_stay_apart(wire: respx.MockRouter) -> None:
    driver = driver_of("gemini")
    wire.route().return_value = answer(
        said("gemini", calls=["a"]), said("gemini", calls=["b", "c"]), said("gemini", end="STOP"), done=False
    )
    parts = await collect(driver, question(tools=[WRITE]), attempt_at("gemini"))
    assert [arguments for _, arguments in calls_of(parts)] == [{"path": "a"}, {"path": "b"}, {"path": "c"}]
    await driver.close()


@PROVIDERS
@pytest.mark.parametrize(("end", "reason"), [("stop", StopReason.STOP), ("length", StopReason.LENGTH)])
async def test_ends_are_the_providers_own(wire: respx.MockRouter, provider: str, end: str, reason: StopReason) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(said(provider, "Hello"), said(provider, end=end))
    assert (await collect(driver, question(), attempt_at(provider)))[-1] == Stop(reason)
    await driver.close()


@PROVIDERS
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("calls", [[], ["a.py"]])
async def test_an_answer_without_a_finish_reason_is_cut(
    wire: respx.MockRouter, provider: str, done: bool, calls: list[str]
) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(said(provider, "Hello", calls=calls), done=done)
    assert (await failure_of(driver, provider)).kind is FailureKind.CUT


@PROVIDERS
async def test_a_broken_connection_is_cut_and_what_came_before_it_was_given(
    wire: respx.MockRouter, provider: str
) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(said(provider, "Hello"), said(provider, " you"), done=False, breaks=True)
    got, kind = "", None
    try:
        async for batch in driver.stream(question(), attempt_at(provider)):
            got += text_of(batch)
    except UpstreamFailed as error:
        kind = error.failure.kind
    assert kind is FailureKind.CUT
    assert "Hello you".startswith(got)
    assert got
    await driver.close()


@pytest.mark.parametrize(
    ("provider", "end", "kind"),
    [
        ("gemini", "MALFORMED_FUNCTION_CALL", FailureKind.PARSER),
        ("gemini", "OTHER", FailureKind.CUT),
        ("openrouter", "error", FailureKind.CRASHED),
    ],
)
async def test_ends_that_are_none(wire: respx.MockRouter, provider: str, end: str, kind: FailureKind) -> None:
    driver = driver_of(provider)
    wire.route().return_value = answer(said(provider, "Hello"), said(provider, end=end))
    assert (await failure_of(driver, provider)).kind is kind


_GEMINI_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
_MISTRAL_LONG = (
    "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 262144 maximum context length"
)
_REFUSALS = [
    ("gemini", 400, {"code": 400, "message": _GEMINI_LONG, "status": "INVALID_ARGUMENT"}, FailureKind.OVERFLOW),
    ("gemini", 400, {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}, "unauthorized"),
    ("gemini", 400, {"code": 400, "message": "Bad schema", "status": "INVALID_ARGUMENT"}, FailureKind.REFUSED),
    ("gemini", 404, {"code": 404, "message": "models/x is not found for API version v1beta"}, "model_missing"),
    ("gemini", 429, {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}, "overloaded"),
    ("gemini", 503, {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}, "overloaded"),
    ("gemini", 500, {"code": 500, "message": "An internal error has occurred.", "status": "INTERNAL"}, "crashed"),
    ("mistral", 400, {"message": "Invalid model: devstral-2512", "type": "invalid_model"}, FailureKind.MODEL_MISSING),
    ("mistral", 400, {"message": _MISTRAL_LONG, "type": "invalid_request_error"}, FailureKind.OVERFLOW),
    ("mistral", 401, {"detail": "Unauthorized"}, FailureKind.UNAUTHORIZED),
    ("mistral", 422, {"detail": [{"msg": "bad", "input": "SECRET"}]}, FailureKind.REFUSED),
    ("mistral", 429, {"message": "Requests rate limit exceeded", "type": "rate_limited"}, FailureKind.OVERLOADED),
    ("mistral", 503, {"message": "Service unavailable"}, FailureKind.OVERLOADED),
    ("openrouter", 402, {"error": {"message": "Insufficient credits", "code": 402}}, FailureKind.UNAUTHORIZED),
    ("openrouter", 404, {"error": {"message": "No endpoints found for qwen/x"}}, FailureKind.MODEL_MISSING),
    ("openrouter", 301, {}, FailureKind.REFUSED),
]


@pytest.mark.parametrize(("provider", "status", "body", "kind"), _REFUSALS)
async def test_a_refusal_before_the_answer(
    wire: respx.MockRouter, provider: str, status: int, body: dict[str, object], kind: str
) -> None:
    driver = driver_of(provider)
    wrapped = {"error": body} if provider == "gemini" else body
    headers = {"retry-after": "7", "location": "https://evil.example/"}
    route = wire.route().mock(return_value=httpx.Response(status, json=wrapped, headers=headers))
    failure = await failure_of(driver, provider)
    assert (failure.kind, failure.status, failure.retry_after) == (kind, status, 7.0)
    assert route.call_count == 1
    assert "SECRET" not in failure.detail
    assert not any(character.isdigit() for character in failure.detail)


async def test_an_overflow_tells_its_numbers(wire: respx.MockRouter) -> None:
    wire.route().return_value = httpx.Response(400, json={"error": {"message": _GEMINI_LONG}})
    failure = await failure_of(driver_of("gemini"), "gemini")
    assert (failure.size, failure.limit) == (1200000, 1048576)
    wire.route().return_value = httpx.Response(400, json={"message": _MISTRAL_LONG})
    failure = await failure_of(driver_of("mistral"), "mistral")
    assert (failure.size, failure.limit) == (300000, 262144)


@pytest.mark.parametrize("provider", ["gemini", "openrouter"])
@pytest.mark.parametrize(("code", "kind"), [(429, FailureKind.OVERLOADED), (503, FailureKind.OVERLOADED)])
async def test_an_error_inside_the_stream(wire: respx.MockRouter, provider: str, code: int, kind: FailureKind) -> None:
    error = {"error": {"code": code, "message": "please wait", "status": "UNAVAILABLE"}}
    wire.route().return_value = answer(said(provider, "Hello"), error, done=False)
    assert (await failure_of(driver_of(provider), provider)).kind is kind


@PROVIDERS
async def test_a_refused_connection_is_tried_once(wire: respx.MockRouter, provider: str) -> None:
    route = wire.route().mock(side_effect=httpx.ConnectError)
    failure = await failure_of(driver_of(provider), provider)
    assert failure.kind is FailureKind.UNREACHABLE
    assert route.call_count == 1


@PROVIDERS
async def test_closing_the_stream_closes_the_upstream(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider)
    events = [f"data: {json.dumps(said(provider, word))}\n\n".encode() for word in ("Hello", "you", "there")]
    upstream = Stream(*events, hangs=True)
    wire.route().return_value = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=upstream)
    stream = driver.stream(question(), attempt_at(provider))
    assert text_of(await anext(stream)) == "Hello"
    await stream.aclose()
    assert upstream.closed
    await driver.close()


@PROVIDERS
async def test_cancelling_closes_the_upstream(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider)
    upstream = Stream(f"data: {json.dumps(said(provider, 'Hello'))}\n\n".encode(), hangs=True)
    wire.route().return_value = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=upstream)
    came = asyncio.Event()

    async def follow() -> None:
        async for _ in driver.stream(question(), attempt_at(provider)):
            came.set()

    task = asyncio.create_task(follow())
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert upstream.closed
    await driver.close()


@PROVIDERS
async def test_silence_is_a_stall(wire: respx.MockRouter, provider: str) -> None:
    driver = driver_of(provider, timeouts=Timeouts(between_parts=0.05))
    upstream = Stream(f"data: {json.dumps(said(provider, 'Hello'))}\n\n".encode(), hangs=True)
    wire.route().return_value = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=upstream)
    assert (await failure_of(driver, provider)).kind is FailureKind.STALLED
    assert upstream.closed


@pytest.mark.parametrize(
    ("name", "asked", "kind"),
    [
        ("AuthenticationError", True, FailureKind.UNAUTHORIZED),
        ("NotFoundError", True, FailureKind.MODEL_MISSING),
        ("RateLimitError", True, FailureKind.OVERLOADED),
        ("ContextWindowExceededError", True, FailureKind.OVERFLOW),
        ("Timeout", True, FailureKind.STALLED),
        ("MidStreamFallbackError", True, FailureKind.CUT),
        ("InternalServerError", True, FailureKind.CRASHED),
        ("BadRequestError", True, FailureKind.REFUSED),
        ("NobodyKnowsThisError", True, FailureKind.INVALID),
        ("RateLimitError", False, FailureKind.REFUSED),
    ],
)
async def test_where_the_wire_says_nothing_the_class_of_litellms_error_counts(
    name: str, asked: bool, kind: FailureKind
) -> None:
    async def complete(*, client: Heard, **_: object) -> object:
        client.asked = asked
        raise type(name, (Exception,), {})("the body, the key and the question")

    driver = driver_of("gemini")
    driver._library = _Library(complete, lambda heard, _: heard, httpx.AsyncHTTPTransport())
    failure = await failure_of(driver, "gemini")
    assert failure.kind is kind
    assert "question" not in failure.detail
