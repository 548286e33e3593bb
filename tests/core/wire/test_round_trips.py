"""decode(encode(x)) == x for the requests of every format, digits, unknown fields and all."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.conversation import Conversation
from gateway.core.wire import ollama_request, openai_request, openai_text
from tests.core.wire.conversations import native_conversations, openai_completions, openai_conversations
from tests.core.wire.json_values import broken_texts

FEWER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pinned(conversation: Conversation) -> ollama_request.Pinned:
    return ollama_request.Pinned(num_predict=conversation.sampling.max_tokens or 0)


@FEWER
@given(openai_conversations())
def test_an_openai_chat_comes_back(conversation: Conversation) -> None:
    sent = openai_request.encode(conversation, model=conversation.model, max_tokens=conversation.sampling.max_tokens)
    back, wish = openai_request.decode(sent)
    assert back == conversation
    assert (wish.stream, wish.usage, wish.repaired) == (True, True, False)


@FEWER
@given(openai_completions)
def test_an_openai_completion_comes_back(conversation: Conversation) -> None:
    sent = openai_text.encode(conversation, model=conversation.model, max_tokens=conversation.sampling.max_tokens)
    assert openai_text.decode(sent)[0] == conversation


@FEWER
@given(native_conversations())
def test_a_native_chat_comes_back(conversation: Conversation) -> None:
    sent = ollama_request.encode_chat(conversation, model=conversation.model, pinned=pinned(conversation))
    assert ollama_request.decode_chat(sent)[0] == conversation


@FEWER
@given(native_conversations(bare=True))
def test_a_native_prompt_comes_back(conversation: Conversation) -> None:
    sent = ollama_request.encode_generate(conversation, model=conversation.model, pinned=pinned(conversation))
    assert ollama_request.decode_generate(sent)[0] == conversation


@FEWER
@given(openai_conversations())
def test_a_chat_of_one_tongue_is_read_in_the_other(conversation: Conversation) -> None:
    """What OpenAI's clients say reaches Ollama: same roles, text, tools, names and arguments."""
    sent = ollama_request.encode_chat(conversation, model="m", pinned=pinned(conversation))
    back, _ = ollama_request.decode_chat(sent)
    assert [message.role for message in back.messages] == [message.role for message in conversation.messages]
    assert [message.text for message in back.messages] == [message.text for message in conversation.messages]
    assert [tool.parameters for tool in back.tools] == [tool.parameters for tool in conversation.tools]
    assert back.sampling == conversation.sampling


@FEWER
@given(native_conversations())
def test_and_the_other_way(conversation: Conversation) -> None:
    """What Ollama's clients say reaches an OpenAI-compatible server, which wants an id for every call and result."""
    if not conversation.messages:
        return
    sent = openai_request.encode(conversation, model="m", max_tokens=None)
    back, _ = openai_request.decode(sent)
    assert all(call.id for message in back.messages for call in message.calls)
    assert all(message.answers for message in back.messages if message.role == "tool")
    assert [message.text for message in back.messages] == [message.text for message in conversation.messages]
    assert [[call.arguments for call in message.calls] for message in back.messages] == [
        [call.arguments for call in message.calls] for message in conversation.messages
    ]


@FEWER
@given(st.lists(broken_texts, min_size=1, max_size=3), broken_texts)
def test_halves_of_characters_become_one_sign_and_stay_so(contents: list[str], argument: str) -> None:
    """Agents cut emoji in halves; such a history must neither be refused nor change from one request to the next."""
    arguments = json.dumps({"text": argument})
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [{"role": "assistant", "content": text, "tool_calls": [call]} for text in contents]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    conversation, wish = openai_request.decode(body)
    again, wish_again = openai_request.decode(openai_request.encode(conversation, model="m", max_tokens=None))
    assert again == conversation
    assert wish.repaired == any("\ud800" <= char <= "\udfff" for text in contents for char in text)
    assert not wish_again.repaired
    sent = ollama_request.encode_chat(conversation, model="m", pinned=ollama_request.Pinned())
    assert sent.decode()
