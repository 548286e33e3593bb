"""The summary stage: asked for behind an answer, once, told from the next compaction on, or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from gateway.core.admission import Ticket
from gateway.core.compaction.summary import HEADINGS, REQUEST
from gateway.core.conversation import Conversation, Message, Prose, Sampling, ToolCall, ToolSpec
from gateway.core.events import Noticed
from gateway.core.failures import FailureKind
from gateway.core.plan import ModelFacts, Target, Try
from gateway.core.policy import Policy
from gateway.core.policy.cloud import CloudRules, CloudTarget
from gateway.core.policy.compaction import CompactionRules
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream
from gateway.core.stream import Call, Part, Stop, StopReason
from gateway.drivers.http import Http
from gateway.drivers.ollama import Ollama
from gateway.ports import Driver
from gateway.service.prompt.fitting import Fitted, Fitting
from gateway.service.prompt.summaries import Summarising
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.world import World
from gateway.store.memory import MemoryStore
from gateway.testing.ask import Ask
from gateway.testing.fake_clock import LeapingClock, settle
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Kind
from gateway.testing.script import Turn, says
from tests.service.scripted import Bytes, Death, Journal, ScriptedDriver

SUMMARY = "\n".join(f"{heading}\n- point" for heading in HEADINGS)
RULES = CompactionRules(summary=True, summary_window=1024, summary_tokens=200, masked=False)
POLICY = Policy(
    upstreams={"up": Upstream()}, models=(ModelRule(match="*", output_reserve=1024, window=8192),), compaction=RULES
)
TARGET = Target("up", "m")
ELSEWHERE = Target("gemini", "m")
TOOL = ToolSpec(name="bash", parameters={"type": "object", "properties": {"command": {"type": "string"}}})


def asked(turns: int) -> Conversation:
    """An agent's session: with each turn some 600 tokens more, by the counter of these tests."""
    messages = [Message(role="system", content=(Prose("You are an agent."),)), user("Write a parser.")]
    for number in range(turns):
        call = ToolCall(id=f"call{number:05}", name="bash", arguments=f'{{"command": "make part{number}"}}')
        output = "\n".join(f"turn {number} line {line} of the log" for line in range(80))
        messages.append(Message(role="assistant", content=(Prose(f"Now part {number}."),), calls=(call,)))
        messages.append(Message(role="tool", answers=call.id, content=(Prose(output),)))
    return Conversation(model="m", messages=tuple(messages), tools=(TOOL,), sampling=Sampling(stop=("STOP",)))


def user(text: str) -> Message:
    return Message(role="user", content=(Prose(text),))


@dataclass(slots=True)
class House:
    """What a gateway has for this, and the way that a request takes through it."""

    driver: Driver
    policy: Policy = POLICY
    away: Driver | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    journal: Journal = field(default_factory=Journal)
    ids: Iterator[int] = field(default_factory=count)
    fitting: Fitting = field(init=False)
    summaries: Summarising = field(init=False)

    def __post_init__(self) -> None:
        world = World(
            clock=LeapingClock(),
            journal=self.journal,
            dice=lambda: 0.5,
            new_id=lambda: "id",
            wall=lambda: 0.0,
            store=self.store,
        )
        self.summaries = Summarising(self.store, self.journal)
        elsewhere = {ELSEWHERE.upstream: self.away} if self.away else {}
        upstreams = Upstreams({"up": self.driver}, self.policy, world, away=elsewhere)
        self.fitting = Fitting(upstreams, Bytes(), self.summaries)

    async def request(self, conversation: Conversation, target: Target = TARGET) -> Fitted:
        """A request and the end of its answer."""
        fitted = await self.fitting.fit(conversation, target, self.policy)
        self.fitting.summarise(fitted, Ticket(id=f"r{next(self.ids)}", session="s", model="m"), self.policy)
        return fitted

    async def session(self, *, first: int = 0, until: int = 80, epochs: int = 1) -> tuple[int, Fitted]:
        """Requests, a turn longer each, until so many compactions were made. The last one is not answered yet."""
        for turns in range(first, until):
            fitted = await self.fitting.fit(asked(turns), TARGET, self.policy)
            if fitted.compaction and fitted.compaction.epochs == epochs:
                return turns, fitted
            await self.request(asked(turns))
            await settle()
        raise AssertionError("no compaction")


def head(fitted: Fitted) -> str:
    return fitted.conversation.messages[1].text


def noticed(house: House) -> list[str]:
    return [event.words for event in house.journal.events if isinstance(event, Noticed)]


def scripted(text: str = SUMMARY, **more: object) -> ScriptedDriver:
    return ScriptedDriver(text, renders=False, **more)  # type: ignore[arg-type]


class Slow(ScriptedDriver):
    """Has its first word when `gate` opens."""

    gate: asyncio.Event

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        self.open += 1
        try:
            await self.gate.wait()
            async for batch in ScriptedDriver.stream(self, conversation, attempt):
                yield batch
        finally:
            self.open -= 1


def slow() -> Slow:
    driver = Slow(SUMMARY, renders=False)
    driver.gate = asyncio.Event()
    return driver


async def test_it_is_asked_for_once_and_told_at_the_next_compaction() -> None:
    driver = scripted()
    house = House(driver)
    _, fitted = await house.session()
    assert len(driver.attempts) == 1
    assert driver.attempts[0].num_predict == RULES.summary_tokens
    assert f"\n{SUMMARY}\n[holdfast: end of the record" in head(fitted)
    assert noticed(house) == []


async def test_until_then_no_prompt_changes() -> None:
    house, plain = House(scripted()), House(scripted(), replace(POLICY, compaction=replace(RULES, summary=False)))
    turns, _ = await house.session()
    for number in range(turns):
        sent = (await house.request(asked(number))).conversation.messages
        assert sent == (await plain.request(asked(number))).conversation.messages


async def due() -> tuple[int, int]:
    """With how many turns the first summary is due, and the first compaction comes."""
    house = House(scripted())
    turns, _ = await house.session()
    [number] = [number for number in range(turns) if (await house.request(asked(number))).summary_key]
    return number, turns


async def test_it_is_made_once_however_often_it_is_asked_for() -> None:
    driver = slow()
    house = House(driver)
    number, _ = await due()
    await asyncio.gather(*(house.request(asked(number)) for _ in range(3)))
    driver.gate.set()
    await settle()
    await house.request(asked(number))
    await settle()
    assert len(driver.attempts) == 1


class Pausing(MemoryStore):
    """Looks a summary up, and gives what it found when `gate` opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def summary(self, key: bytes) -> str | None:
        found = await super().summary(key)
        await self.gate.wait()
        return found


async def test_one_that_is_made_while_the_store_is_asked_is_told_for_good() -> None:
    driver, store = slow(), Pausing()
    house, (number, turns) = House(driver, store=store), await due()
    store.gate.set()
    await house.request(asked(number))
    await settle()
    store.gate.clear()
    compacting = asyncio.ensure_future(house.fitting.fit(asked(turns), TARGET, POLICY))
    await settle()
    driver.gate.set()
    await settle()
    store.gate.set()
    fitted = await compacting
    again = await House(scripted(), store=store).fitting.fit(asked(turns), TARGET, POLICY)
    assert again.conversation == fitted.conversation
    assert SUMMARY in head(fitted)


async def test_the_same_history_gets_the_same_prompt_after_a_restart() -> None:
    before = House(scripted())
    turns, _ = await before.session(epochs=3)
    silent = scripted()
    after = House(silent, store=before.store)
    for number in (turns, turns + 1):
        mine, theirs = [await each.fitting.fit(asked(number), TARGET, POLICY) for each in (before, after)]
        assert mine.conversation == theirs.conversation
        assert SUMMARY in head(mine)
    assert silent.attempts == []


def _cut(driver: ScriptedDriver) -> ScriptedDriver:
    return replace(driver, deaths=[Death(30, FailureKind.CAPPED)] * 9)


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (scripted("I could not."), "heading '## Goal' is missing"),
        (scripted(" "), "it is empty"),
        (_cut(scripted()), "it is cut"),
        (replace(scripted(), deaths=[Death(9)] * 9), "scripted"),
        (scripted(SUMMARY + "\n[holdfast: 3 lines cleared]"), "copies the gateway's marks"),
    ],
)
async def test_what_is_no_summary_leaves_the_record_alone(driver: ScriptedDriver, words: str) -> None:
    house = House(driver)
    _, fitted = await house.session(epochs=2)
    assert "## Goal" not in head(fitted)
    assert len(noticed(house)) == len(driver.attempts) == 2
    assert all(words in said for said in noticed(house))


class Calling(ScriptedDriver):
    """Calls a tool in place of writing."""

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        yield [Call(id="1", name="bash", arguments='{"command": "ls"}'), Stop(StopReason.STOP)]


async def test_a_call_is_no_summary() -> None:
    house = House(Calling(SUMMARY, renders=False))
    await house.session()
    assert "calls a tool" in noticed(house)[0]


async def test_one_that_comes_too_late_is_given_up_and_never_told() -> None:
    driver = slow()
    house = House(driver)
    turns, fitted = await house.session()
    assert "## Goal" not in head(fitted)
    await settle()
    assert driver.open == 0, "nobody waits for it any more"
    driver.gate.set()
    await settle()
    later = await house.fitting.fit(asked(turns + 1), TARGET, POLICY)
    assert later.conversation.messages[: len(fitted.conversation.messages)] == fitted.conversation.messages


@pytest.mark.parametrize(
    "rules", [replace(RULES, summary=False), replace(RULES, summary_window=16_384)], ids=["off", "in a small window"]
)
async def test_none_is_asked_for(rules: CompactionRules) -> None:
    driver = scripted()
    await House(driver, replace(POLICY, compaction=rules)).session(epochs=3)
    assert driver.attempts == []


async def test_none_is_asked_for_where_it_has_no_room() -> None:
    driver = scripted()
    house = House(driver, replace(POLICY, compaction=replace(RULES, summary_tokens=4000)))
    await house.session()
    assert driver.attempts == []
    assert "no room" in noticed(house)[0]


async def test_nothing_is_asked_of_a_model_elsewhere() -> None:
    """What leaves the house goes through the gate, the audit and the budget: a summary would go past them all."""
    cloud = CloudRules(heavy=(str(ELSEWHERE),), targets={str(ELSEWHERE): CloudTarget(window=8192, answer=1024)})
    home, away = scripted(), scripted()
    house = House(home, replace(POLICY, cloud=cloud), away)
    seen = []
    for turns in range(40):
        fitted = await house.request(asked(turns), ELSEWHERE)
        await settle()
        seen.append(fitted.compaction.epochs if fitted.compaction else 0)
        assert fitted.summary_key == ""
    assert seen[-1] >= 2, "long enough for summaries to have been due"
    assert home.attempts == away.attempts == []


async def test_nothing_is_asked_of_a_model_that_its_server_runs_elsewhere() -> None:
    """Ollama's cloud models."""
    driver = Clouded(SUMMARY, renders=False)
    await House(driver).session(epochs=2)
    assert driver.attempts == []


class Clouded(ScriptedDriver):
    """Says of its models that they run elsewhere."""

    async def describe(self, model: str) -> ModelFacts:
        return replace(await ScriptedDriver.describe(self, model), away=True)


# A client's own requests for a title or a summary


def summing_up(turns: int) -> Conversation:
    conversation = asked(turns)
    words = user("Provide a detailed summary of our conversation above.")
    return replace(conversation, messages=(*conversation.messages, words))


async def test_a_clients_own_summary_request_stays_whole_while_it_fits() -> None:
    driver = scripted()
    house = House(driver, replace(POLICY, compaction=replace(RULES, hi=0.5, lo=0.3)))
    turns, _ = await house.session()
    assert (await house.fitting.fit(asked(turns), TARGET, house.policy)).compaction is not None
    fitted = await house.request(summing_up(turns))
    assert fitted.conversation.messages == summing_up(turns).messages
    assert fitted.summary_key == ""
    assert (await house.request(summing_up(60))).compaction is not None


# The prompt, as a server sees it


class Telling(MemoryStore):
    """Tells when a summary is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = asyncio.Event()

    async def keep_summary(self, key: bytes, text: str) -> None:
        await super().keep_summary(key, text)
        self.kept.set()


def summarising(ask: Ask) -> Turn:
    return says(SUMMARY if REQUEST in ask.said_by("user")[-1] else "Going on.")


async def test_only_what_was_added_is_read_anew() -> None:
    model = SimModel(name="m", script=summarising, window=8192, parameters={"num_ctx": 8192})
    async with SimulatedOllama([model]) as ollama:
        driver = Ollama(Http(ollama.url, key="", trusted=True, connect=5.0, probe=5.0))
        store = Telling()
        house = House(driver, store=store)
        for turns in range(80):
            fitted = await house.fitting.fit(asked(turns), TARGET, POLICY)
            [_ async for _ in driver.stream(fitted.conversation, fitted.first())]
            house.fitting.summarise(fitted, Ticket(id="r1", session="s", model="m"), POLICY)
            if fitted.summary_key:
                break
        async with asyncio.timeout(10):
            await store.kept.wait()
        await house.summaries.close()
        await driver.close()
        [*_, answer, summary] = [each for each in ollama.requests if each.kind is Kind.GENERATION]
        assert summary.said == SUMMARY
        assert summary.prompt_tokens > 4000
        assert summary.read_anew < summary.prompt_tokens - answer.prompt_tokens + 64
        assert not summary.reloaded
