"""A request that an old Ollama has lost is found out: after an error of its parser, and where a runner died as it started."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Target, Try
from gateway.core.stream import Stop, StopReason
from gateway.drivers.http import Http
from gateway.drivers.ollama import Ollama
from gateway.drivers.ollama_watch import Patience, Watch
from gateway.ports import UpstreamFailed
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Ended, Kind
from gateway.testing.script import Turn, always

HURRIED = Patience(look=0.01, suspect=0.03, empty=(0.03,))
CALM = 0.5  # seconds; far more than the patience above
ASKED = Conversation(model="m", messages=(Message(role="user", content=(Prose("Hello."),)),))
BREAKS_ONCE = SimModel(
    name="m", script=lambda ask: Turn(raw="<tool_call>\n</tool_call>") if ask.generation == 1 else Turn(text="Fine.")
)
SAYS = SimModel(name="m", script=always("Fine."))
NEVER_LOADS = Fault(kind=FaultKind.SLOW_LOAD, seconds=1000.0)

Start = Callable[..., Awaitable[tuple[SimulatedOllama, Ollama]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """`start(model, fault, generation=OLD)`: a simulated server, and the driver for it."""
    running: list[tuple[SimulatedOllama, Ollama]] = []

    async def begin(
        *models: SimModel, fault: Fault | None = None, generation: Generation = OLD
    ) -> tuple[SimulatedOllama, Ollama]:
        server = SimulatedOllama(models, faults=[fault] if fault else [], generation=generation)
        await server.start()
        driver = Ollama(Http(server.url), patience=HURRIED)
        running.append((server, driver))
        await driver.alive()
        return server, driver

    yield begin
    for server, driver in running:
        await driver.close()
        await server.stop()


async def ask(driver: Ollama) -> StopReason | None:
    """How the stream ended."""
    stop = None
    async for batch in driver.stream(ASKED, Try(target=Target("o", "m"))):
        stop = next((part.reason for part in batch if isinstance(part, Stop)), stop)
    return stop


async def failure_of(driver: Ollama) -> FailureKind:
    with pytest.raises(UpstreamFailed) as failed:
        await ask(driver)
    return failed.value.failure.kind


async def test_a_model_that_hangs_after_a_parser_error_is_given_up_and_unloaded(start: Start) -> None:
    server, driver = await start(BREAKS_ONCE, fault=Fault(kind=FaultKind.WEDGE))
    assert await failure_of(driver) is FailureKind.PARSER
    assert await failure_of(driver) is FailureKind.STALLED
    assert await ask(driver) is StopReason.STOP
    assert [asked.kind for asked in server.requests].count(Kind.UNLOAD) == 1


async def test_after_a_parser_error_that_did_no_harm_nothing_is_unloaded(start: Start) -> None:
    server, driver = await start(BREAKS_ONCE)
    assert await failure_of(driver) is FailureKind.PARSER
    assert await ask(driver) is StopReason.STOP
    assert server.loads == 1


async def test_a_runner_that_died_as_it_started_is_not_waited_for(start: Start) -> None:
    server, driver = await start(SAYS, fault=NEVER_LOADS)
    assert await failure_of(driver) is FailureKind.CRASHED
    assert await ask(driver) is StopReason.STOP
    assert next(asked for asked in server.requests if asked.path == "/api/chat").ended is Ended.LEFT


async def test_a_render_and_a_load_are_looked_after_too(start: Start) -> None:
    _, driver = await start(SAYS, fault=NEVER_LOADS)
    with pytest.raises(UpstreamFailed, match="crashed"):
        await driver.render(ASKED, Try(target=Target("o", "m")))
    assert await driver.render(ASKED, Try(target=Target("o", "m")))
    _, driver = await start(SAYS, fault=NEVER_LOADS)
    with pytest.raises(UpstreamFailed, match="crashed"):
        await driver.load("m", window=None)


async def test_a_slow_start_is_waited_for_after_a_wrong_guess(start: Start) -> None:
    _, driver = await start(SAYS, fault=Fault(kind=FaultKind.SLOW_LOAD, seconds=1000.0, times=None))
    assert await failure_of(driver) is FailureKind.CRASHED
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(driver), CALM)


async def test_the_new_generation_is_believed(start: Start) -> None:
    _, driver = await start(SAYS, fault=NEVER_LOADS, generation=NEW)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(driver), CALM)


async def test_who_leaves_while_nothing_comes_closes_the_connection(start: Start) -> None:
    server, driver = await start(SAYS, fault=Fault(kind=FaultKind.SLOW_PROMPT, seconds=1000.0))
    asking = asyncio.create_task(ask(driver))
    await asyncio.sleep(CALM)
    assert server.loaded
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(CALM)
    assert next(asked for asked in server.requests if asked.path == "/api/chat").ended is Ended.LEFT


@pytest.mark.parametrize("memory", [["m:latest"], ["another"]], ids=["it loads", "another is at work"])
async def test_with_a_model_in_memory_a_silence_is_no_death(memory: list[str]) -> None:
    async def loaded() -> list[Loaded]:
        return [Loaded(name=name) for name in memory]

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Watch(loaded, HURRIED).over(asyncio.sleep(1000.0), "m"), CALM)


async def test_beside_others_a_request_that_should_be_quick_is_given_up_later() -> None:
    async def loaded() -> list[Loaded]:
        return [Loaded(name="another")]

    with pytest.raises(UpstreamFailed, match="crashed"):
        await asyncio.wait_for(Watch(loaded, HURRIED).over(asyncio.sleep(1000.0), "m", quick=True), CALM)


async def test_a_server_that_does_not_tell_is_no_death() -> None:
    async def loaded() -> list[Loaded]:
        raise UpstreamFailed(Failure(FailureKind.STALLED))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Watch(loaded, HURRIED).over(asyncio.sleep(1000.0), "m"), CALM)
