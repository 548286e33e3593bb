"""Answers of clouds in their wire forms, and a driver before them whose every request is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence

import httpx

from gateway.core.conversation import Conversation, Message, Prose, Sampling, ToolSpec
from gateway.core.plan import Target, Try
from gateway.core.policy.cloud import CloudTarget, Price
from gateway.core.policy.timeouts import Timeouts
from gateway.core.stream import CallPiece, Part, Reasoning, Text
from gateway.drivers.litellm_cloud import LiteLLMCloud

MODELS = {"gemini": "gemini-3.1-pro-preview", "mistral": "mistral-medium-3-5", "openrouter": "qwen/qwen3-coder"}
HOSTS = {
    "gemini": "generativelanguage.googleapis.com",
    "mistral": "api.mistral.ai",
    "openrouter": "openrouter.ai",
}
WRITE = ToolSpec(
    name="write",
    description="Write a file",
    parameters={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
KEY = "key-of-the-gateway"


def driver_of(provider: str, *, timeouts: Timeouts | None = None, **rule: object) -> LiteLLMCloud:
    model = MODELS[provider]
    said = {"accepts_terms": True, "window": 200_000, "price": Price(input=1.0, output=2.0), **rule}
    target = CloudTarget(capabilities=("tools", "thinking"), **said)  # type: ignore[arg-type]
    return LiteLLMCloud(provider, {model: target}, keys={model: KEY}, timeouts=timeouts or Timeouts())


def attempt_at(provider: str, **more: int) -> Try:
    return Try(target=Target(provider, MODELS[provider]), **more)  # type: ignore[arg-type]


def question(*messages: Message, tools: Sequence[ToolSpec] = (), sampling: Sampling | None = None) -> Conversation:
    asked = messages or (Message(role="user", content=(Prose("Say hello"),)),)
    return Conversation(model="heavy", messages=asked, tools=tuple(tools), sampling=sampling or Sampling())


async def collect(driver: LiteLLMCloud, conversation: Conversation, attempt: Try) -> list[Part]:
    return [part async for batch in driver.stream(conversation, attempt) for part in batch]


def text_of(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def thought_of(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Reasoning))


def calls_of(parts: Iterable[Part]) -> list[tuple[str, object]]:
    """Names and arguments of the calls that pieces make up."""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for piece in parts:
        if isinstance(piece, CallPiece):
            names[piece.index] = names.get(piece.index, "") + piece.name
            arguments[piece.index] = arguments.get(piece.index, "") + piece.arguments
    return [(names[index], json.loads(arguments[index])) for index in names]


class Stream(httpx.AsyncByteStream):
    """The bytes of an answer; `breaks` ends it by a broken connection, `hangs` never. Knows whether it was closed."""

    def __init__(self, *pieces: bytes, breaks: bool = False, hangs: bool = False) -> None:
        self._pieces = pieces
        self._breaks = breaks
        self._hangs = hangs
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio

        for piece in self._pieces:
            yield piece
        if self._hangs:
            await asyncio.Event().wait()
        if self._breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def aclose(self) -> None:
        self.closed = True


def answer(*events: object, done: bool = True, breaks: bool = False, hangs: bool = False) -> httpx.Response:
    """A streamed answer of these events."""
    pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    last = [b"data: [DONE]\n\n"] if done else []
    stream = Stream(*pieces, *last, breaks=breaks, hangs=hangs)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


def said(provider: str, text: str = "", *, thought: str = "", calls: Sequence[str] = (), end: str = "") -> object:
    """One event of a provider's answer. `calls` are the paths of calls to `write`."""
    return _gemini(text, thought, calls, end) if provider == "gemini" else _openai(provider, text, thought, calls, end)


def _gemini(text: str, thought: str, calls: Sequence[str], end: str) -> object:
    parts: list[object] = [{"text": thought, "thought": True}] if thought else []
    parts += [{"text": text}] if text else []
    parts += [{"functionCall": {"name": "write", "args": {"path": path}}} for path in calls]
    candidate: dict[str, object] = {"content": {"role": "model", "parts": parts}, "index": 0}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "cachedContentTokenCount": 4}
    reasons = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"}
    return {
        "candidates": [candidate | ({"finishReason": reasons.get(end, end)} if end else {})],
        "modelVersion": MODELS["gemini"],
        "usageMetadata": usage,
    }


def _openai(provider: str, text: str, thought: str, calls: Sequence[str], end: str) -> object:
    delta: dict[str, object] = {"role": "assistant", "content": text}
    if thought and provider == "mistral":
        delta["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
    elif thought:
        delta["reasoning"] = thought
    if calls:
        delta["tool_calls"] = [
            {
                "index": place,
                "id": f"call{place:05d}",
                "type": "function",
                "function": {"name": "write", "arguments": json.dumps({"path": path})},
            }
            for place, path in enumerate(calls)
        ]
    event: dict[str, object] = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODELS[provider],
        "choices": [{"index": 0, "delta": delta, "finish_reason": end or None}],
    }
    if end:
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
        event["usage"] = {**usage, "total_tokens": 15}
    return event
