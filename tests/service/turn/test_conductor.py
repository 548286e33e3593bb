"""Promise 4: whatever dies upstream and whenever, the client sees one answer, and it ends once and truly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import Conversation, Message, Prose, Sampling, ToolSpec
from gateway.core.events import Began
from gateway.core.failures import FailureKind
from gateway.core.plan import Mode
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream
from gateway.core.stream import Call, Did, Part, Proof, Reasoning, Stop, StopReason, Text, Usage
from gateway.service.asked import Asked
from gateway.service.refusal import Refusal
from gateway.service.turn.conductor import Conductor
from tests.service.scripted import Death, Journal, ScriptedDriver, conductor_of, world

POLICY = Policy(upstreams={"up": Upstream()})
WRITE = ToolSpec(
    name="write",
    parameters={
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)
PLAIN = "Zürich’s lazy llama: aaaa bbbb aaaa, 3.14159 %, 🙂🙂 日本語. Nothing changed, nothing at all."
CALL = (
    "I write it.\n<tool_call>\n<function=write>\n<parameter=path>\na.py\n</parameter>\n"
    "<parameter=content>\nif a < b:\n    print('</parameter>')\n</parameter>\n</function>\n</tool_call>"
)
SAID = "I write it."
ARGUMENTS = '"content"'


def conversation(*, tools: bool = False, max_tokens: int | None = None, stop: tuple[str, ...] = ()) -> Conversation:
    return Conversation(
        model="m",
        messages=(Message(role="user", content=(Prose("hello"),)),),
        tools=(WRITE,) if tools else (),
        sampling=Sampling(max_tokens=max_tokens, stop=stop),
    )


def conductor(driver: ScriptedDriver, asked: Conversation, *, sends: bool = True) -> tuple[Conductor, Journal]:
    journal = Journal()
    request = Asked(id="r", conversation=asked, policy=POLICY, surface="openai", sends=sends)
    made = conductor_of(request, {"up": driver}, world(journal))
    return made, journal


async def play(made: Conductor) -> list[Part]:
    async with aclosing(made.run()) as batches:
        return [part async for batch in batches for part in batch]


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def assert_one_ending(parts: Sequence[Part]) -> StopReason:
    assert [type(part) for part in parts if isinstance(part, Stop | Usage)] == [Usage, Stop]
    assert isinstance(parts[-1], Stop)
    return parts[-1].reason


async def test_nothing_dies() -> None:
    driver = ScriptedDriver(PLAIN)
    made, journal = conductor(driver, conversation())
    parts = await play(made)
    assert text_of(parts) == PLAIN
    assert assert_one_ending(parts) is StopReason.STOP
    assert not any(isinstance(part, Did) for part in parts)
    assert [event.mode for event in journal.events if isinstance(event, Began)] == [Mode.FRESH]


DEATHS = st.builds(
    Death,
    after=st.integers(0, len(PLAIN)),
    kind=st.sampled_from(
        [FailureKind.CRASHED, FailureKind.CUT, FailureKind.STALLED, FailureKind.CAPPED, FailureKind.OUT_OF_MEMORY]
    ),
)

WORLDS: dict[str, st.SearchStrategy[object]] = {
    "deaths": st.lists(DEATHS, max_size=2),
    "closes": st.booleans(),
    "renders": st.booleans(),
    "piece": st.integers(1, 20),
}


@settings(max_examples=150, deadline=None)
@given(**WORLDS, sends=st.booleans())
def test_however_attempts_die_the_text_is_whole(
    deaths: list[Death], closes: bool, renders: bool, piece: int, sends: bool
) -> None:
    driver = ScriptedDriver(PLAIN, deaths=[*deaths], closes=closes, renders=renders, piece=piece)
    parts = asyncio.run(play(conductor(driver, conversation(), sends=sends)[0]))
    assert text_of(parts) == PLAIN
    assert assert_one_ending(parts) is StopReason.STOP
    assert driver.open == 0


@settings(max_examples=150, deadline=None)
@given(**WORLDS)
def test_however_attempts_die_the_call_is_whole(deaths: list[Death], closes: bool, renders: bool, piece: int) -> None:
    driver = ScriptedDriver(CALL, deaths=[*deaths], closes=closes, renders=renders, piece=piece)
    parts = asyncio.run(play(conductor(driver, conversation(tools=True))[0]))
    calls = [part for part in parts if isinstance(part, Call)]
    assert text_of(parts).strip() == SAID
    assert [call.name for call in calls] == ["write"]
    assert "print('</parameter>')" in calls[0].arguments
    assert calls[0].id == "call_id0"
    assert assert_one_ending(parts) is StopReason.TOOL_CALLS


@settings(max_examples=100, deadline=None)
@given(after=st.integers(0, len(CALL) - 1), kind=st.sampled_from([FailureKind.CRASHED, FailureKind.CAPPED]))
def test_a_call_that_stays_cut_never_goes_out(after: int, kind: FailureKind) -> None:
    """Each attempt dies at the same place: what is whole goes out, and the end says that it is not all."""
    driver = _Stubborn(CALL, after, kind)
    try:
        parts = asyncio.run(play(conductor(driver, conversation(tools=True))[0]))
    except Refusal:
        assert after < len(SAID), "something was there to deliver"
        return
    calls = [part for part in parts if isinstance(part, Call)]
    reason = assert_one_ending(parts)
    assert CALL.startswith(text_of(parts))
    assert "<tool" not in text_of(parts), "the marker of a cut call is no text"
    if calls:
        proven = CALL[: CALL.rindex("</parameter>") + len("</parameter>")]
        assert CALL[:after].startswith(proven), "the last argument was not proven"
        assert reason is (StopReason.LENGTH if calls[0].proof is Proof.COMPLETE else StopReason.TOOL_CALLS)
    else:
        assert reason is StopReason.LENGTH
    assert len(driver.attempts) <= 6


class _Stubborn(ScriptedDriver):
    """Dies at the same place of the text, however far it had come."""

    def __init__(self, text: str, place: int, kind: FailureKind) -> None:
        super().__init__(text)
        self._place, self._kind = place, kind

    def _start(self, attempt: object) -> int:
        at = super()._start(attempt)  # type: ignore[arg-type]  # the test's own override
        self.deaths = [Death(max(0, self._place - at), self._kind)]
        return at


async def test_nothing_delivered_is_an_error() -> None:
    driver = ScriptedDriver(PLAIN, deaths=[Death(0)] * 6)
    with pytest.raises(Refusal) as caught:
        await play(conductor(driver, conversation())[0])
    assert caught.value.problem.kind.status == 400
    assert len(driver.attempts) == 3


async def test_a_refusal_is_not_asked_again() -> None:
    driver = ScriptedDriver(PLAIN, deaths=[Death(0, FailureKind.REFUSED)])
    with pytest.raises(Refusal):
        await play(conductor(driver, conversation())[0])
    assert len(driver.attempts) == 1


async def test_out_of_memory_steps_down_to_a_smaller_window() -> None:
    driver = ScriptedDriver(PLAIN, deaths=[Death(10, FailureKind.OUT_OF_MEMORY)] * 2)
    parts = await play(conductor(driver, conversation())[0])
    assert text_of(parts) == PLAIN
    assert [attempt.window for attempt in driver.attempts] == [8192, 8192, 4096]
    assert Did(("continued", "window_shrunk")) in parts


async def test_the_clients_own_limit_is_passed_on() -> None:
    driver = ScriptedDriver(PLAIN, deaths=[Death(20, FailureKind.CAPPED)])
    parts = await play(conductor(driver, conversation(max_tokens=20))[0])
    assert text_of(parts) == PLAIN[:20]
    assert assert_one_ending(parts) is StopReason.LENGTH
    assert len(driver.attempts) == 1


async def test_the_clients_own_limit_inside_a_call_is_overrun() -> None:
    driver = ScriptedDriver(CALL, deaths=[Death(60, FailureKind.CAPPED)])
    parts = await play(conductor(driver, conversation(tools=True, max_tokens=60))[0])
    assert [part.name for part in parts if isinstance(part, Call)] == ["write"]
    assert assert_one_ending(parts) is StopReason.TOOL_CALLS


async def test_a_stop_sequence_holds_across_a_seam() -> None:
    driver = ScriptedDriver("one two three", deaths=[Death(6)])
    parts = await play(conductor(driver, conversation(stop=("two",)))[0])
    assert text_of(parts) == "one "
    assert assert_one_ending(parts) is StopReason.STOP


async def test_a_replay_that_differs_is_not_forwarded() -> None:
    """The second attempt says something else: what was sent stays, and the end is honest."""
    driver = ScriptedDriver("The first answer goes on.", deaths=[Death(10)], renders=False)
    made, _ = conductor(driver, conversation())
    seen: list[Part] = []
    async with aclosing(made.run()) as batches:
        async for batch in batches:
            seen += batch
            if len(driver.attempts) == 1:
                driver.text = "A wholly other one."
    assert text_of(seen) == "The first "
    assert assert_one_ending(seen) is StopReason.LENGTH


async def test_a_client_that_gets_nothing_before_the_end_gets_the_new_answer() -> None:
    driver = ScriptedDriver("The first answer goes on.", deaths=[Death(10)], renders=False)
    made, _ = conductor(driver, conversation(), sends=False)
    run = made.run()
    driver.text = "The first answer goes on."
    parts = [part async for batch in run for part in batch]
    assert text_of(parts) == "The first answer goes on."


async def test_a_thought_comes_before_its_text() -> None:
    driver = ScriptedDriver("<think>\n2+2 is 4\n</think>\n\nFour.", deaths=[Death(12)])
    parts = await play(conductor(driver, conversation())[0])
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
    assert thought.strip() == "2+2 is 4"
    assert text_of(parts).strip() == "Four."


async def test_who_left_and_comes_again_goes_on() -> None:
    driver = ScriptedDriver(PLAIN)
    made, _ = conductor(driver, conversation())
    first: list[Part] = []
    run = made.run()
    async for batch in run:
        first += batch
        if len(text_of(first)) > 20:
            break
    await run.aclose()
    assert driver.open == 0
    rest = await play(made)
    assert text_of([*first, *rest]) == PLAIN
    assert [attempt.mode for attempt in driver.attempts] == [Mode.FRESH, Mode.PREFILL]
