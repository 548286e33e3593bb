"""Which requests share an answer: the same one asked again while it is being made, was left unfinished, or failed a moment ago."""

from __future__ import annotations

from gateway.core.errors import Code
from gateway.core.identity import Question
from gateway.ports import UpstreamFailed
from gateway.service.asked import Asked
from gateway.service.front.flights import Flight
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.world import World

_HELD = 8_000_000  # tokens of their prompts together: about as many as 32 MB of text
_MOST = 256  # flights remembered; the longest untouched goes first


class Joined:
    """The flights that a request may join, by what was asked, for whom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flights: dict[Question, Flight] = {}

    async def find(self, asked: Asked, upstreams: Upstreams) -> Flight | None:
        """The flight that this request joins, or None where it must have its own."""
        self._forget(asked)
        flight = self._flights.get(_question(asked))
        if flight is None:
            return None
        if flight.problem is not None:
            return None if await _healed(flight, upstreams) else flight
        if flight.ended:
            return None if flight.delivered else flight
        return flight if flight.followers == 0 or _may_share(asked) else None

    def add(self, asked: Asked, flight: Flight) -> Flight:
        """A new flight, to be found by those who ask the same."""
        while len(self._flights) >= _MOST or (self._flights and self._held() > _HELD):
            oldest = min(self._flights, key=lambda key: (self._flights[key].followers > 0, self._flights[key].touched))
            self._flights.pop(oldest).stop()
        self._flights[_question(asked)] = flight
        return flight

    def _held(self) -> int:
        """Tokens of the prompts that are remembered."""
        counts = (flight.conductor.fitted for flight in self._flights.values())
        return sum(fitted.before for fitted in counts if fitted is not None)

    def _forget(self, asked: Asked) -> None:
        now, rules = self._world.clock.now(), asked.policy.recovery
        for key, flight in list(self._flights.items()):
            kept = rules.remember_failure if flight.ended else rules.keep_unfinished
            if flight.followers == 0 and (now - flight.touched > kept or (flight.delivered and flight.problem is None)):
                del self._flights[key]

    def close(self) -> None:
        """Nobody may join any more."""
        self._flights.clear()


def _question(asked: Asked) -> Question:
    caller = asked.caller
    of = (caller.name, caller.label, asked.session, asked.privacy or "", asked.route)
    return Question(asked.conversation, of)


def _may_share(asked: Asked) -> bool:
    """Best of several must not become copies of one: only where a second answer would be the same, or a second try is meant."""
    sampling = asked.conversation.sampling
    return sampling.temperature == 0 or sampling.seed is not None or asked.again


# What may be told again for a while without asking anew. Other failures cost nothing to find out again.
_REMEMBERED = frozenset(
    {
        Code.UPSTREAM_UNREACHABLE,
        Code.UPSTREAM_FAILED,
        Code.UPSTREAM_REFUSED,
        Code.OUT_OF_MEMORY,
        Code.UNREADABLE_CALL,
    }
)


async def _healed(flight: Flight, upstreams: Upstreams) -> bool:
    """Whether a remembered failure must be found out anew: it cost nothing, or its upstream could not be reached and now can."""
    problem, target = flight.problem, flight.conductor.road.known
    if problem is None or problem.code not in _REMEMBERED:
        return True
    if problem.code is not Code.UPSTREAM_UNREACHABLE:
        return False
    if target is None:
        return True
    try:
        await upstreams[target].driver.alive()
    except UpstreamFailed:
        return False
    return True
