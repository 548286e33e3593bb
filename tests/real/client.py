"""A client of the OpenAI surface, and what it saw: text, calls, endings, usage, and what the gateway says it did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from tests.real.answer import Json

_DID = b": holdfast did="


@dataclass(slots=True)
class Seen:
    """What came back. `ends` holds every finish reason, `error` the error object of a status or of the stream."""

    status: int = 0
    text: str = ""
    thought: str = ""
    calls: list[tuple[str, object]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    error: object = None
    done: bool = False
    did: str = ""


async def chat(
    url: str,
    content: str,
    *,
    model: str = "sayer",
    after: Callable[[int], None] | None = None,
    **more: object,
) -> Seen:
    """One streamed chat; `more` are further fields of the request, `after` is called with the number of events so far."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **more,
    }
    seen, count = Seen(), 0
    async with aiohttp.ClientSession() as session, session.post(f"{url}/v1/chat/completions", json=body) as answer:
        seen.status, seen.headers = answer.status, dict(answer.headers)
        if answer.status != 200:
            seen.error = (await answer.json())["error"]
            return seen
        async for line in answer.content:
            if line.startswith(b"data: [DONE]"):
                seen.done = True
            elif line.startswith(_DID):
                seen.did = line.removeprefix(_DID).decode().strip()
            elif line.startswith(b"data: "):
                _take(seen, json.loads(line[6:]))
                count += 1
                if after is not None:
                    after(count)
    return seen


async def events(url: str, seen: Seen, name: str) -> list[Json]:
    """The events of this name in the gateway's record of an answer: `Began` for each attempt, `Broke` for each that failed."""
    path = f"{url}/holdfast/requests/{seen.headers['x-holdfast-request']}"
    async with aiohttp.ClientSession() as session, session.get(path) as answer:
        record: Json = await answer.json()
    found = record["events"]
    assert isinstance(found, list)
    return [event for event in found if event["event"] == name]


def _take(seen: Seen, chunk: Json) -> None:
    if "error" in chunk:
        seen.error = chunk["error"]
    for choice in chunk.get("choices") or []:  # type: ignore[attr-defined]  # JSON
        delta = choice["delta"]
        seen.text += delta.get("content") or ""
        seen.thought += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or []:
            seen.calls.append((call["function"]["name"], json.loads(call["function"]["arguments"])))
        if choice["finish_reason"]:
            seen.ends.append(choice["finish_reason"])
    if chunk.get("usage"):
        seen.usage = chunk["usage"]  # type: ignore[assignment]  # JSON
