"""Summaries by the model itself: asked for behind an answer, kept by the hash of the history that they tell of, told in time or never.

Law: what a compaction did without is not told to it later, so that the same history keeps the same prompt while this process lives.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Protocol, TypeAlias

from gateway.core.admission import Ticket
from gateway.core.compaction import Compaction, Memo
from gateway.core.compaction.summary import HEADINGS, SummaryOf, flaw
from gateway.core.conversation import Conversation
from gateway.core.events import Noticed
from gateway.core.plan import Target, Try
from gateway.core.policy.timeouts import Timeouts
from gateway.core.stream import Part, StopReason
from gateway.core.turn import Turn
from gateway.ports import Driver, Journal, Summaries, UpstreamFailed
from gateway.service.refusal import Refusal
from gateway.service.upstreams.slots import Slots

_REMEMBERED = 4096  # keys whose text, or lack of one, is remembered here
_NONE = ""  # there is no summary, and there will be none


class Plan(Protocol):
    """A compaction that lacks only the summaries, and the memory of those before it."""

    async def __call__(self, *, summary_of: SummaryOf, memo: Memo | None) -> Compaction: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A summary to ask for: of `conversation`, once, as `attempt` says, in the place in line that `ticket` gives."""

    conversation: Conversation
    attempt: Try
    turn: Turn
    ticket: Ticket
    timeouts: Timeouts
    driver: Driver
    slots: Slots


Asking: TypeAlias = Callable[[], Awaitable[Question | None]]  # makes the question; None where it would not fit


class _Unseen(Exception):
    """A plan asked for a summary that was not looked up yet."""


class Summarising:
    """Asks for summaries and tells them. Each is asked for once."""

    def __init__(self, kept: Summaries, journal: Journal) -> None:
        self._kept = kept
        self._journal = journal
        self._told: OrderedDict[bytes, str] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[None]] = {}

    async def planned(self, target: Target, plan: Plan, memo: Memo) -> Compaction:
        """The plan, with the summaries that are there. What it did without is not made any more."""
        while True:
            try:
                done = await plan(summary_of=partial(self._seen, target), memo=memo)
            except _Unseen:
                await self._look_up(target, plan)
                continue
            for key in done.missed:
                self._stop(key_of(target, key))
            return done

    def _seen(self, target: Target, key: str) -> str:
        told = self._told.get(key_of(target, key))
        if told is None:
            raise _Unseen
        return told

    async def _look_up(self, target: Target, plan: Plan) -> None:
        """All that the plan asks for, from the store; with a summary found it may ask for others than without."""
        unseen = {b""}
        while unseen:
            unseen = set()

            def told(key: str, unseen: set[bytes] = unseen) -> str | None:
                known = self._told.get(key_of(target, key))
                if known is None:
                    unseen.add(key_of(target, key))
                return known

            await plan(summary_of=told, memo=None)
            for key in sorted(unseen):
                self._remember(key, await self._kept.summary(key) or _NONE)

    def ask(self, key: bytes, asking: Asking, *, request: str) -> None:
        """Begin to make the summary of a key, unless that was done; the caller does not wait for it."""
        if key in self._told or key in self._under_way:
            return
        task = asyncio.get_running_loop().create_task(self._make(key, asking, request))
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))

    async def _make(self, key: bytes, asking: Asking, request: str) -> None:
        if kept := await self._kept.summary(key):
            self._remember(key, kept)
            return
        text, wrong = await _answered(asking)
        if told := self._remember(key, _NONE if wrong else text):
            await self._kept.keep_summary(key, told)
        elif wrong:
            words = f"no summary for the next compaction: {wrong}; the record goes without"
            self._journal.note(Noticed(request=request, words=words))

    def _remember(self, key: bytes, text: str) -> str:
        """The first that is known of a key holds, and is given back: a compaction may have gone by while a summary was made."""
        told = self._told.setdefault(key, text)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return told

    def _stop(self, key: bytes) -> None:
        if task := self._under_way.get(key):
            task.cancel()

    async def close(self) -> None:
        """Nobody waits for them any more."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def key_of(target: Target, key: str) -> bytes:
    """What a summary by a model is kept under, for a `Compaction.summary_key`."""
    return sha256(f"{target}\n{key}".encode()).digest()


async def _answered(asking: Asking) -> tuple[str, str]:
    """The model's text from its first heading on, and why it can't serve, "" where it can. One attempt, no second."""
    try:
        question = await asking()
        if question is None:
            return "", "there is no room to ask for it"
        async with question.slots.hold(question.ticket):
            wrong = await _played(question)
    except (UpstreamFailed, Refusal) as error:
        return "", str(error)
    except TimeoutError:
        return "", "nothing came in time"
    turn = question.turn
    text = turn.shown_text
    wrong = wrong or flaw(text, calls=len(turn.calls) + len(turn.unreadable)) or ""
    return text[max(0, text.find(HEADINGS[0])) :].strip(), wrong


async def _played(question: Question) -> str:
    """Let the model answer into the turn; why the answer is not whole, "" where it is."""
    turn, patience = question.turn, question.timeouts.first_part
    turn.begin(question.attempt.mode)
    async with aclosing(question.driver.stream(question.conversation, question.attempt)) as stream:
        batch: Sequence[Part] | None = ()
        while batch is not None and not turn.circling:
            list(turn.receive(batch))
            async with asyncio.timeout(patience):
                batch = await anext(stream, None)
            patience = question.timeouts.between_parts
    whole = turn.stop is not None and turn.stop.reason is not StopReason.LENGTH
    list(turn.finish(natural=whole))
    return "" if whole else "it is cut"
