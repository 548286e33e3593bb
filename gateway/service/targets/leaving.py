"""Asks the privacy gate before anything leaves the house: off the event loop, in time, with the record of taints at hand.

Law: what breaks or is late keeps the conversation at home, and so does a policy that is no longer the one in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from gateway.core.conversation import Conversation
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.redaction import Redacted
from gateway.core.privacy.units import Contents, contents
from gateway.core.privacy.verdict import Step, Verdict, stays
from gateway.ports import Taints
from gateway.service.world import World

_Made = TypeVar("_Made")

_DAY = 86_400.0
_GRACE = 0.5  # seconds after a scan's own deadline in which it may still say what it found until then


@dataclass(frozen=True, slots=True)
class Passage:
    """The gate's verdict; `sent`, where it may leave, is what may be sent, and what its placeholders stand for."""

    verdict: Verdict
    sent: Redacted | None = None


class Leaving:
    """The gate of one policy at work. Every attempt that goes away asks anew, with the very conversation that it will send."""

    def __init__(self, gate: Gate, *, rules: PrivacyRules, taints: Taints, world: World) -> None:
        self._gate = gate
        self._rules = rules
        self._taints = taints
        self._world = world
        self._unkept: frozenset[bytes] = frozenset()
        self._retired = False
        # One thread: a scan holds the interpreter's lock while it looks, and the gate's memory is not shared.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="privacy")

    async def ask(self, conversation: Conversation, claim: Claim) -> Passage:
        """Whether the conversation may leave, and as what; raises nothing."""
        denied = self._gate.denied(claim)
        if denied is not None:
            return Passage(denied)
        passage = await self._passage(conversation, claim)
        if self._retired:
            return Passage(stays(Step.SWITCH, "the policy changed while the request was under way"))
        return passage

    def retire(self) -> None:
        """A newer policy has taken over: nothing leaves under this one any more."""
        self._retired = True
        self._thread.shutdown(wait=False)

    async def _passage(self, conversation: Conversation, claim: Claim) -> Passage:
        try:
            async with asyncio.timeout(self._rules.scan_seconds + _GRACE):
                return await self._judged(conversation, claim)
        except TimeoutError:
            return Passage(stays(Step.LIMIT, "the scan did not end in time"))
        except Exception as error:  # by the law; what the error says may hold content
            return Passage(stays(Step.CONTENT, f"the gate broke ({type(error).__name__}), so nothing is known"))

    async def _judged(self, conversation: Conversation, claim: Claim) -> Passage:
        until = self._world.clock.now() + self._rules.scan_seconds
        whole = await self._off_loop(lambda: contents(conversation))
        try:
            tainted = await self._tainted(whole, claim)
        except Exception as error:
            return Passage(stays(Step.TAINT, f"the record of taints can't be used ({type(error).__name__})"))
        passage = await self._off_loop(lambda: self._decided(whole, claim, tainted, until))
        await self._keep(passage.verdict.taints)
        return passage

    def _decided(self, whole: Contents, claim: Claim, tainted: frozenset[bytes], until: float) -> Passage:
        verdict = self._gate.judge(whole, claim, tainted=tainted, until=until)
        return Passage(verdict, self._gate.redacted(whole, verdict) if verdict.leaves else None)

    async def _tainted(self, whole: Contents, claim: Claim) -> frozenset[bytes]:
        """The marks of a conversation that are known to be tainted. Raises while some can't be kept: the record has a hole then."""
        await self._keep(frozenset())
        marks = self._gate.marks(whole, claim.session)
        return await self._taints.tainted(tuple(marks), self._world.wall())

    async def _keep(self, marks: frozenset[bytes]) -> None:
        self._unkept |= marks
        if kept := self._unkept:
            await self._taints.taint(tuple(kept), until=self._until())
            self._unkept -= kept

    def _until(self) -> float:
        return self._world.wall() + self._rules.taint_days * _DAY

    async def _off_loop(self, make: Callable[[], _Made]) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, make)
