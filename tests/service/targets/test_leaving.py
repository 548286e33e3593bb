"""The gate at work: what breaks, is late or can't be told keeps a conversation at home, and what held a secret stays there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.rule import Candidate, Matcher, Rule
from gateway.core.privacy.verdict import Step
from gateway.service.targets.leaving import Leaving
from gateway.service.world import World
from gateway.store.memory import MemoryStore
from tests.service.scripted import Journal, world

HOME = "/home/me/open"
OPEN = PrivacyRules(leave=True, roots={HOME: "redact"}, scan_seconds=5.0)
CLAIM = Claim(label="cloud-ok", session="s1")
SECRET = "xyzzy-4711"
RULE = Rule(id="planted", kind="service", description="", pattern=SECRET, judge="certain")


def chat(text: str) -> Conversation:
    said = (("system", f"Working directory: {HOME}"), ("user", text))
    messages = tuple(Message(role=role, content=(Prose(each),)) for role, each in said)  # type: ignore[arg-type]
    return Conversation(model="m", messages=messages)


class Finds:
    def candidates(self, text: str) -> Sequence[Candidate]:
        start = text.find(SECRET)
        end = start + len(SECRET)
        return [Candidate(RULE, start, end, start, end)] if start >= 0 else []


class Breaks:
    def candidates(self, text: str) -> Sequence[Candidate]:
        raise MemoryError


@dataclass
class Waits:
    """A matcher that takes as long as it is held."""

    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def candidates(self, text: str) -> Sequence[Candidate]:
        self.begun.set()
        self.go.wait(10)
        return []


@dataclass
class Broken(MemoryStore):
    """A store that can't be read, or can't be written."""

    reads: bool = False
    writes: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    async def tainted(self, keys: Sequence[bytes], now: float) -> frozenset[bytes]:
        if not self.reads:
            raise OSError("disk")
        return await super().tainted(keys, now)

    async def taint(self, keys: Sequence[bytes], *, until: float) -> None:
        if not self.writes:
            raise OSError("disk")
        await super().taint(keys, until=until)


def leaving(
    matcher: Matcher | None = None,
    *,
    rules: PrivacyRules = OPEN,
    taints: MemoryStore | None = None,
    here: World | None = None,
) -> Leaving:
    gate = Gate(rules, matcher or Finds(), key=bytes(32), now=lambda: -100.0)
    return Leaving(gate, rules=rules, taints=taints or MemoryStore(), world=here or world(Journal()))


async def test_what_may_leave_is_given_as_it_may_be_sent() -> None:
    passage = await leaving().ask(chat("hello"), CLAIM)
    assert passage.verdict.leaves
    assert passage.sent is not None
    assert passage.sent.conversation == chat("hello")
    assert not passage.sent.minted


async def test_under_redact_what_is_sent_holds_placeholders() -> None:
    passage = await leaving().ask(chat(f"it is {SECRET}"), Claim(label="redact"))
    assert passage.sent is not None
    assert SECRET not in repr(passage.sent)
    assert list(passage.sent.minted.values()) == [SECRET]


@pytest.mark.parametrize(
    ("claim", "rules", "step"),
    [
        (Claim(label=None), OPEN, Step.CLIENT),
        (Claim(label="local"), OPEN, Step.CLIENT),
        (Claim(label="cloud-ok", header="local"), OPEN, Step.HEADER),
        (CLAIM, PrivacyRules(), Step.SWITCH),
    ],
)
async def test_without_permission_nothing_is_read_and_no_store_asked(
    claim: Claim, rules: PrivacyRules, step: Step
) -> None:
    passage = await leaving(Breaks(), rules=rules, taints=Broken()).ask(chat("hello"), claim)
    assert passage.sent is None
    assert passage.verdict.reasons[-1].step is step


async def test_a_scanner_that_breaks_means_local() -> None:
    passage = await leaving(Breaks()).ask(chat("hello"), CLAIM)
    assert passage.sent is None
    assert "MemoryError" in passage.verdict.why


async def test_a_scanner_that_does_not_end_means_local_and_the_loop_goes_on() -> None:
    waits = Waits()
    rules = PrivacyRules(leave=True, roots=OPEN.roots, scan_seconds=-0.4)  # with the grace that is a moment
    passage = await leaving(waits, rules=rules).ask(chat("hello"), CLAIM)
    waits.go.set()
    assert passage.sent is None
    assert passage.verdict.reasons[-1].step is Step.LIMIT


async def test_a_policy_that_is_replaced_meanwhile_lets_nothing_out() -> None:
    waits = Waits()
    gate = leaving(waits)
    asking = asyncio.create_task(gate.ask(chat("hello"), CLAIM))
    await asyncio.to_thread(waits.begun.wait, 10)
    gate.retire()
    waits.go.set()
    passage = await asking
    assert passage.sent is None
    assert passage.verdict.reasons[-1].step is Step.SWITCH
    assert (await gate.ask(chat("hello"), CLAIM)).sent is None


async def test_what_held_a_secret_stays_under_a_new_gate_with_the_same_record() -> None:
    taints = MemoryStore()
    assert not (await leaving(taints=taints).ask(chat(f"it is {SECRET}"), CLAIM)).verdict.leaves
    after_restart = leaving(taints=taints)
    assert (await after_restart.ask(chat("a summary"), CLAIM)).verdict.reasons[-1].step is Step.TAINT
    assert (await after_restart.ask(chat("a summary"), Claim(label="cloud-ok", session="s2"))).verdict.leaves


async def test_a_taint_is_kept_for_its_days_after_it_was_last_seen() -> None:
    taints, day = MemoryStore(), 86_400.0
    wall = [0.0]
    here = world(Journal())
    here = World(
        clock=here.clock, journal=here.journal, dice=here.dice, new_id=here.new_id, wall=lambda: wall[0], store=taints
    )
    gate = leaving(taints=taints, here=here)
    assert not (await gate.ask(chat(f"it is {SECRET}"), CLAIM)).verdict.leaves
    for now, leaves in ((29 * day, False), (58 * day, False), (89 * day, True)):
        wall[0] = now
        assert (await gate.ask(chat("a summary"), CLAIM)).verdict.leaves is leaves, now / day


async def test_a_record_that_can_not_be_read_means_local() -> None:
    passage = await leaving(taints=Broken(writes=True)).ask(chat("hello"), CLAIM)
    assert passage.sent is None
    assert passage.verdict.reasons[-1].step is Step.TAINT


async def test_while_a_taint_can_not_be_kept_nothing_leaves() -> None:
    taints = Broken(reads=True)
    gate = leaving(taints=taints)
    assert (await gate.ask(chat("hello"), Claim(label="cloud-ok"))).verdict.leaves
    assert not (await gate.ask(chat(f"it is {SECRET}"), CLAIM)).verdict.leaves
    assert not (await gate.ask(chat("hello"), Claim(label="cloud-ok"))).verdict.leaves
    taints.writes = True
    assert (await gate.ask(chat("hello"), Claim(label="cloud-ok"))).verdict.leaves
    assert not (await gate.ask(chat("a summary"), CLAIM)).verdict.leaves


async def test_many_at_once_get_each_their_own_verdict() -> None:
    gate = leaving()
    texts = [f"it is {SECRET}" if number % 3 == 0 else f"hello {number}" for number in range(30)]
    claims = [Claim(label="cloud-ok", session=f"s{number}") for number in range(30)]
    passages = await asyncio.gather(*(gate.ask(chat(text), claim) for text, claim in zip(texts, claims, strict=True)))
    assert [each.verdict.leaves for each in passages] == [SECRET not in text for text in texts]
