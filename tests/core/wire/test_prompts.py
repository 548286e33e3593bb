"""A prompt that is sent to be rendered and then to be answered is written once, and reads as if it had been written twice."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from gateway.core.conversation import Conversation, Message, Prose, ToolCall, ToolSpec
from gateway.core.wire.ollama_request import Pinned, Prompts, encode_chat
from tests.core.wire.conversations import openai_conversations

ASK = Pinned(num_ctx=8192, num_predict=100)
RENDER = replace(ASK, num_predict=1, render=True)
LONG = '{"id":12345678901234567890123,"v":1.10}'

ASKED = Conversation(
    model="m",
    messages=(
        Message(role="user", content=(Prose("hi"),)),
        Message(role="assistant", calls=(ToolCall(id="c", name="f", arguments=LONG),)),
        Message(role="tool", answers="c", content=(Prose("done"),)),
    ),
    tools=(ToolSpec(name="f", parameters={"type": "object"}),),
)


def written(prompts: Prompts, conversation: Conversation, pinned: Pinned) -> bytes:
    made = prompts.encode(conversation, model="m", pinned=pinned)
    assert json.loads(made) == json.loads(encode_chat(conversation, model="m", pinned=pinned))
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(openai_conversations())
def test_every_prompt_reads_the_same_rendered_asked_and_asked_again(conversation: Conversation) -> None:
    prompts = Prompts()
    for pinned in (RENDER, ASK, ASK, RENDER, RENDER, ASK):
        written(prompts, conversation, pinned)


def test_digits_are_kept_beside_what_was_written_before() -> None:
    prompts = Prompts()
    for pinned in (RENDER, replace(ASK, options={"seed": 12345678901234567890123})):
        assert LONG.encode() in written(prompts, ASKED, pinned)


def test_what_is_asked_otherwise_than_it_was_rendered_is_written_anew() -> None:
    others = [
        replace(ASKED, tools=()),
        replace(ASKED, tool_choice="none"),
        replace(ASKED, messages=(*ASKED.messages, Message(role="assistant", content=(Prose("It"),)))),
        replace(ASKED, think=True),
    ]
    for other in others:
        prompts = Prompts()
        assert written(prompts, ASKED, RENDER) != written(prompts, other, ASK)


def test_many_prompts_wait_at_once() -> None:
    prompts = Prompts()
    several = [replace(ASKED, messages=(Message(role="user", content=(Prose(f"{n}"),)),)) for n in range(50)]
    for pinned in (RENDER, ASK):
        for each in several:
            written(prompts, each, pinned)
