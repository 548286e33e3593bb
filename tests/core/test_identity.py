"""Fingerprints: equal for what is asked alike, different for everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.core.conversation import Conversation, Message, Prose, Sampling, ToolSpec
from gateway.core.identity import fingerprint
from gateway.core.wire import openai_request
from tests.core.wire.conversations import openai_conversations

FEWER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ASKED = Conversation(
    model="m",
    messages=(Message(role="user", content=(Prose("hi"),)),),
    tools=(ToolSpec(name="f", parameters={"a": 1, "b": 2}),),
)


def of(body: dict[str, object]) -> bytes:
    return fingerprint(openai_request.decode(json.dumps(body).encode())[0])


def test_neither_order_nor_spacing_nor_streaming_matter() -> None:
    body: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "user": "u", "seed": 1}
    turned = {
        "seed": 1.0,
        "user": "u",
        "stream": True,
        "messages": [{"content": [{"text": "hi"}], "role": "user"}],
        "model": "m",
    }
    assert of(body) == of(turned)
    assert of(body) != of({**body, "seed": 2})


@pytest.mark.parametrize("number", [10**30, Decimal("0.10000000000000000001")])
def test_order_does_not_matter_where_numbers_are_long_either(number: object) -> None:
    first = replace(ASKED, extra={"n": number, "m": {"x": 1, "y": number}})
    second = replace(ASKED, extra={"m": {"y": number, "x": 1}, "n": number})
    assert fingerprint(first) == fingerprint(second) != fingerprint(ASKED)


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
    assert fingerprint(other) != fingerprint(ASKED)


def test_who_asks_matters_and_the_parts_do_not_run_together() -> None:
    made = {
        fingerprint(ASKED, *parts) for parts in [(), ("a",), ("a", "b"), ("ab",), ("ab", ""), ("a\x1fb",), ("\udc80",)]
    }
    assert len(made) == 7
    assert all(len(each) == 16 for each in made)


@FEWER
@given(openai_conversations())
def test_the_same_request_again_has_the_same(conversation: Conversation) -> None:
    def sent_again(asked: Conversation) -> Conversation:
        body = openai_request.encode(asked, model=asked.model, max_tokens=asked.sampling.max_tokens)
        return openai_request.decode(body)[0]

    once = sent_again(conversation)
    assert fingerprint(once, "key") == fingerprint(sent_again(once), "key")
