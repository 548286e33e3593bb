"""What goes on beside the requests: models loaded at the start, and a look at what another program did to them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.core.events import Noticed
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Target
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream
from gateway.ports import UpstreamFailed
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.upstreams.watching import preload, watch
from gateway.service.world import World
from tests.service.scripted import Journal, ScriptedDriver, world


@dataclass(slots=True)
class Server(ScriptedDriver):
    """A server whose memory can be looked at and filled."""

    window: int | None = 32768
    there: Sequence[Loaded] = ()
    loads: list[tuple[str, int | None]] = field(default_factory=list)
    broken: bool = False

    async def loaded(self) -> Sequence[Loaded]:
        return self.there

    async def load(self, model: str, *, window: int | None) -> None:
        if self.broken:
            raise UpstreamFailed(Failure(FailureKind.OUT_OF_MEMORY, "no room"))
        self.loads.append((model, window))


def house(server: Server, *rules: ModelRule) -> tuple[Upstreams, Policy, World, Journal]:
    journal = Journal()
    here, policy = world(journal), Policy(upstreams={"up": Upstream()}, models=rules)
    return Upstreams({"up": server}, policy, here), policy, here, journal


async def looked(upstreams: Upstreams, here: World) -> None:
    """A few looks: the clock leaps."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await watch(upstreams, here)


async def pinned(upstreams: Upstreams) -> None:
    target = Target("up", "m")
    await upstreams[target].windows.of("m", await upstreams.facts(target), ModelRule(match="*"))


async def test_a_reload_by_another_program_is_told_once_and_forgotten_when_it_has_passed() -> None:
    server = Server("said", there=[Loaded(name="m", window=4096)])
    upstreams, _, here, journal = house(server)
    await pinned(upstreams)
    await looked(upstreams, here)
    assert len(here.notices.all()) == 1
    assert "4.1k" in here.notices.all()[0]
    assert "32.8k" in here.notices.all()[0]
    assert [type(event) for event in journal.events] == [Noticed]
    server.there = [Loaded(name="m", window=32768)]
    await looked(upstreams, here)
    assert not here.notices.all()


async def test_models_that_we_do_not_use_are_nobodys_business() -> None:
    server = Server("said", there=[Loaded(name="other", window=4096)])
    upstreams, _, here, _ = house(server)
    await pinned(upstreams)
    await looked(upstreams, here)
    assert not here.notices.all()


async def test_what_policy_marks_is_loaded_at_its_window() -> None:
    server = Server("said")
    upstreams, policy, here, _ = house(server, ModelRule(match="m", preload=True, window=6000), ModelRule(match="*"))
    await preload(upstreams, policy, here)
    assert server.loads == [("m", 6000)]


async def test_a_model_that_can_not_be_loaded_is_told_of() -> None:
    upstreams, policy, here, _ = house(Server("said", broken=True), ModelRule(match="m", preload=True))
    await preload(upstreams, policy, here)
    assert "up/m could not be loaded" in here.notices.all()[0]


async def test_a_small_window_is_warned_of() -> None:
    upstreams, _, here, _ = house(Server("said", window=8192))
    await pinned(upstreams)
    assert "8.2k tokens (the model's own setting) is small" in here.notices.all()[0]
