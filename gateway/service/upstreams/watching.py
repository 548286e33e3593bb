"""What goes on beside the requests: models that policy wants in memory at the start, and a look now and then at what is there."""

from __future__ import annotations

from gateway.core.errors import thousands
from gateway.core.events import Noticed
from gateway.core.plan import Loaded, Target
from gateway.core.policy import Policy
from gateway.ports import UpstreamFailed
from gateway.service.upstreams.upstreams import Live, Upstreams
from gateway.service.world import World

_LOOK = 30.0  # seconds between two looks at what is loaded


async def preload(upstreams: Upstreams, policy: Policy, world: World) -> None:
    """Load what policy marks so, at the window that it will be used with. A rule that is a pattern names no model."""
    for rule in policy.models:
        if not rule.preload:
            continue
        for target in (await upstreams.targets(rule.match, policy))[:1]:
            try:
                await upstreams.load(target, rule)
            except UpstreamFailed as error:
                _tell(world, f"preload {target}", f"{target} could not be loaded at the start: {error.failure.detail}")


async def watch(upstreams: Upstreams, world: World) -> None:
    """Until cancelled: tell where another program has made a server reload a model that we use."""
    while True:
        await world.clock.sleep(_LOOK)
        for live in upstreams.live.values():
            if not live.windows.all():
                continue
            try:
                for loaded in await live.driver.loaded():
                    _compare(live, loaded, world)
            except UpstreamFailed:
                continue


def _compare(live: Live, loaded: Loaded, world: World) -> None:
    pinned, about = live.windows.pinned(loaded.name), f"reload {Target(live.name, loaded.name)}"
    if pinned is None or loaded.window is None or loaded.window == pinned:
        world.notices.clear(about)
        return
    _tell(
        world,
        about,
        f"another program made {live.name} load {loaded.name} with a window of {thousands(loaded.window)} tokens; the next "
        f"request here reloads it with {thousands(pinned)}. Point that program at this gateway too",
    )


def _tell(world: World, about: str, words: str) -> None:
    if world.notices.tell(about, words):
        world.journal.note(Noticed(request="", words=words))
