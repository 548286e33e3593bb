"""Questions: equal for what is asked alike, different for everything else; and how conversations begin."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.core.conversation import Conversation, Message, Prose, Sampling, ToolSpec
from gateway.core.identity import Question, beginning
from gateway.core.wire import openai_request
from tests.core.wire.conversations import openai_conversations

FEWER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ASKED = Conversation(
    model="m",
    messages=(Message(role="user", content=(Prose("hi"),)),),
    tools=(ToolSpec(name="f", parameters={"a": 1, "b": 2}),),
)


def of(body: dict[str, object]) -> Question:
    return Question(openai_request.decode(json.dumps(body).encode())[0])


def same(one: Question, other: Question) -> bool:
    return one == other and one in {other}


def test_neither_order_nor_spacing_nor_streaming_matter() -> None:
    body: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "user": "u", "seed": 1}
    turned = {
        "seed": 1.0,
        "user": "u",
        "stream": True,
        "messages": [{"content": [{"text": "hi"}], "role": "user"}],
        "model": "m",
    }
    assert same(of(body), of(turned))
    assert of(body) != of({**body, "seed": 2})


@pytest.mark.parametrize("number", [10**30, Decimal("0.10000000000000000001")])
def test_order_does_not_matter_where_numbers_are_long_either(number: object) -> None:
    first = replace(ASKED, extra={"n": number, "m": {"x": 1, "y": number}})
    second = replace(ASKED, extra={"m": {"y": number, "x": 1}, "n": number})
    assert same(Question(first), Question(second))
    assert Question(first) != Question(ASKED)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, model="n"),
        replace(ASKED, messages=()),
        replace(ASKED, messages=(Message(role="system", content=(Prose("hi"),)),)),
        replace(ASKED, tools=()),
        replace(ASKED, sampling=Sampling(temperature=0.0)),
        replace(ASKED, think=False),
        replace(ASKED, extra={"user": "u"}),
    ],
)
def test_what_is_asked_matters(other: Conversation) -> None:
    assert Question(other) != Question(ASKED)


def test_who_asks_matters_and_the_parts_do_not_run_together() -> None:
    made = {Question(ASKED, of) for of in [(), ("a",), ("a", "b"), ("ab",), ("ab", ""), ("a\x1fb",), ("\udc80",)]}
    assert len(made) == 7


@FEWER
@given(openai_conversations())
def test_the_same_request_again_has_the_same(conversation: Conversation) -> None:
    def sent_again(asked: Conversation) -> Conversation:
        body = openai_request.encode(asked, model=asked.model, max_tokens=asked.sampling.max_tokens)
        return openai_request.decode(body)[0]

    once = sent_again(conversation)
    assert same(Question(once, ("key",)), Question(sent_again(once), ("key",)))


def said(*texts: str) -> Conversation:
    return Conversation(model="m", messages=tuple(Message(role="user", content=(Prose(text),)) for text in texts))


def test_a_conversation_keeps_its_name_while_it_goes_on() -> None:
    assert beginning(said("a", "b")) == beginning(replace(said("a", "b", "c", "d"), model="n"))


def test_conversations_that_begin_otherwise_have_other_names() -> None:
    begun = [said(), said("a"), said("a", "b"), said("ab", ""), said("", "ab"), said("a user 1 b"), said("\udc80")]
    assert len({beginning(each) for each in begun}) == len(begun)
