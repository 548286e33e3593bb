"""An answer under way: who may follow it, when it ends, how much of it is held."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream
from gateway.core.stream import Part, Text
from gateway.service.asked import Asked
from gateway.service.front.flights import Flight
from gateway.service.refusal import Refusal
from tests.service.scripted import Journal, ScriptedDriver, conductor_of, world

SAID = "Nothing changed, nothing at all."


def flight(driver: ScriptedDriver, *, linger: float = 0.0, most: int = 1000, unread: float = 300.0) -> Flight:
    policy = Policy(upstreams={"up": Upstream()})
    policy = replace(
        policy,
        recovery=replace(policy.recovery, linger=linger),
        limits=replace(policy.limits, answer_bytes=most),
        timeouts=replace(policy.timeouts, unread=unread),
    )
    said = Conversation(model="m", messages=(Message(role="user", content=(Prose("hello"),)),))
    asked = Asked(id="r", conversation=said, policy=policy, surface="openai", sends=True)
    here = world(Journal())
    return Flight(conductor_of(asked, {"up": driver}, here), here)


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


async def followed(it: Flight, batches: int = 1_000) -> list[Part]:
    """What a client gets that leaves after so many batches."""
    parts: list[Part] = []
    async with aclosing(it.follow(10.0)) as following:
        async for batch in following:
            parts.extend(batch)
            batches -= 1
            if not batches:
                break
    return parts


async def test_two_followers_get_the_same_from_the_first_part_on() -> None:
    it = flight(ScriptedDriver(SAID))
    one, other = await asyncio.gather(followed(it), followed(it))
    assert text_of(one) == text_of(other) == SAID


async def test_an_answer_that_nobody_follows_closes_its_upstream() -> None:
    driver = ScriptedDriver(SAID, piece=1, slow=True)
    it = flight(driver)
    await followed(it, batches=1)
    await asyncio.sleep(0.02)
    assert driver.open == 0
    assert not it.ended


async def test_where_policy_lets_it_linger_it_is_made_to_its_end() -> None:
    driver = ScriptedDriver(SAID, piece=1, slow=True)
    it = flight(driver, linger=30.0)
    await followed(it, batches=1)
    await asyncio.sleep(0.02)
    assert text_of(await followed(it)) == SAID
    assert len(driver.attempts) == 1


async def test_an_answer_beyond_all_measure_is_stopped() -> None:
    with pytest.raises(Refusal, match="grew beyond"):
        await followed(flight(ScriptedDriver(SAID * 100, piece=100), most=1000))


async def test_an_answer_that_nobody_reads_lets_its_upstream_go() -> None:
    driver = ScriptedDriver(" ".join(map(str, range(10_000))), piece=5)
    it = flight(driver, most=1_000_000, unread=0.01)
    async with aclosing(it.follow(10.0)) as following:
        await anext(following)
        while not it.ended:  # noqa: ASYNC110  a client that is connected, and does not read
            await asyncio.sleep(0.01)
        assert driver.open == 0
        with pytest.raises(Refusal, match="Nobody has read on"):
            async for _ in following:
                pass
