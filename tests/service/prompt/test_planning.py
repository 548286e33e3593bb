"""Plans: short ones are made at once, long ones beside the event loop, never two at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from gateway.core.compaction import Compaction, CompactionRules, compact
from gateway.service.prompt.planning import Planning

SHORT, LONG = 10, 1_000_000


def made() -> Compaction:
    return compact((), budget=1000, fixed=0, size=lambda _: 0, rules=CompactionRules())


def held(at_work: list[str], go_on: threading.Event) -> Callable[[], Compaction]:
    def plan() -> Compaction:
        at_work.append(threading.current_thread().name)
        assert go_on.wait(10)
        return made()

    return plan


async def test_a_short_plan_is_made_at_once() -> None:
    seen: list[str] = []
    go_on = threading.Event()
    go_on.set()
    assert await Planning().made(held(seen, go_on), tokens=SHORT) == made()
    assert seen == [threading.current_thread().name]


async def test_a_long_plan_holds_nobody_up_but_other_plans() -> None:
    planning, seen, go_on = Planning(), list[str](), threading.Event()
    long = asyncio.create_task(planning.made(held(seen, go_on), tokens=LONG))
    short = asyncio.create_task(planning.made(held(seen, go_on), tokens=SHORT))
    while not seen:  # noqa: ASYNC110  # a thread sets it, and the loop is free meanwhile
        await asyncio.sleep(0.001)
    assert len(seen) == 1
    go_on.set()
    assert await long == await short == made()
    assert seen[0] == seen[1] != threading.current_thread().name


async def test_who_leaves_a_plan_does_not_let_another_one_in_beside_it() -> None:
    planning, seen, go_on = Planning(), list[str](), threading.Event()
    left = asyncio.create_task(planning.made(held(seen, go_on), tokens=LONG))
    while not seen:  # noqa: ASYNC110  # a thread sets it
        await asyncio.sleep(0.001)
    left.cancel()
    other = asyncio.create_task(planning.made(held(seen, go_on), tokens=SHORT))
    await asyncio.sleep(0.01)
    assert len(seen) == 1
    go_on.set()
    assert await other == made()
    assert left.cancelled()


async def test_a_plan_that_nobody_waits_for_any_more_is_not_begun() -> None:
    planning, seen, go_on = Planning(), list[str](), threading.Event()
    first = asyncio.create_task(planning.made(held(seen, go_on), tokens=LONG))
    second = asyncio.create_task(planning.made(held(seen, go_on), tokens=LONG))
    while not seen:  # noqa: ASYNC110  # a thread sets it
        await asyncio.sleep(0.001)
    second.cancel()
    await asyncio.sleep(0.01)
    go_on.set()
    assert await first == made()
    assert await planning.made(held(seen, go_on), tokens=LONG) == made()
    assert len(seen) == 2


async def test_what_a_plan_raises_is_raised_and_the_line_is_open_again() -> None:
    planning = Planning()

    def broken() -> Compaction:
        raise ValueError("no plan")

    with pytest.raises(ValueError, match="no plan"):
        await planning.made(broken, tokens=LONG)
    seen: list[str] = []
    go_on = threading.Event()
    go_on.set()
    await planning.made(held(seen, go_on), tokens=SHORT)
    assert seen == [threading.current_thread().name]
