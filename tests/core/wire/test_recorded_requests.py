"""Requests and histories of real agents, where they are at hand: read, sent on in both tongues, and read again the same."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bench.data import DATA
from gateway.core.conversation import Conversation
from gateway.core.wire import ollama_request, openai_request


def bodies(surface: str) -> Iterator[tuple[str, bytes]]:
    """The bodies that agents posted to a path that ends so."""
    for file in sorted((DATA / "client-requests").glob("*.json")):
        for place, request in enumerate(json.loads(file.read_text())["requests"]):
            if request["path"].endswith(surface):
                yield f"{file.stem} {place}", json.dumps(request["body"]).encode()


def histories() -> Iterator[tuple[str, bytes]]:
    for file in sorted((DATA / "transcripts").glob("*.json")):
        told = json.loads(file.read_text())
        messages = told if isinstance(told, list) else told["messages"]
        yield file.stem, json.dumps({"model": "m", "messages": messages}).encode()


OPENAI = [*bodies("/chat/completions"), *histories()]
NATIVE = [*bodies("/api/chat")]
pytestmark = pytest.mark.skipif(not OPENAI, reason="no recorded requests here")


def natively(conversation: Conversation) -> bytes:
    pinned = ollama_request.Pinned(num_ctx=32768, num_predict=conversation.sampling.max_tokens or 0)
    return ollama_request.encode_chat(conversation, model=conversation.model, pinned=pinned)


@pytest.mark.parametrize("body", [body for _, body in OPENAI], ids=[name for name, _ in OPENAI])
def test_an_openai_request(body: bytes) -> None:
    conversation, _ = openai_request.decode(body)
    limit = conversation.sampling.max_tokens
    upstream = openai_request.encode(conversation, model=conversation.model, max_tokens=limit)
    again, _ = openai_request.decode(upstream)
    assert openai_request.encode(again, model=again.model, max_tokens=limit) == upstream
    assert [message.text for message in again.messages] == [message.text for message in conversation.messages]
    assert again.tools == conversation.tools
    told, _ = ollama_request.decode_chat(natively(conversation))
    assert natively(told) == natively(ollama_request.decode_chat(natively(told))[0])
    assert [message.text for message in told.messages] == [message.text for message in conversation.messages]
    assert all(message.name for message in told.messages if message.role == "tool" and message.answers)


@pytest.mark.parametrize("body", [body for _, body in NATIVE], ids=[name for name, _ in NATIVE])
def test_a_native_request(body: bytes) -> None:
    conversation, _ = ollama_request.decode_chat(body)
    assert conversation.messages
    assert "num_ctx" in conversation.options  # a wish, never passed on
    sent = json.loads(natively(conversation))
    assert sent["options"]["num_ctx"] == 32768
