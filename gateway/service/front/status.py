"""What runs now and how long it will still take: agents don't show heartbeats, so people look here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.spending import MICRO
from gateway.service.front.flights import Flight
from gateway.service.front.gateway import Gateway
from gateway.service.upstreams.upstreams import Live


async def status(gateway: Gateway) -> dict[str, object]:
    """Requests under way, upstreams with their lines, models with windows and speeds, what was spent, what the operator should know."""
    flights = [flight for flight in gateway.flights if flight.followers and not flight.ended]
    return {
        "running": [_flight(flight) for flight in flights],
        "upstreams": {name: _upstream(live) for name, live in gateway.upstreams.live.items()},
        "spent": await _spent(gateway),
        "notices": gateway.world.notices.all(),
    }


async def _spent(gateway: Gateway) -> Mapping[str, object] | None:
    """Dollars; `open` is the part of them that is only set aside. None where nothing may cost anything, or nobody can tell."""
    if not gateway.policy.cloud.heavy:
        return None
    spent = await gateway.map.away.spent()
    if spent is None:
        return None
    return {
        "day": spent.day / MICRO,
        "total": spent.total / MICRO,
        "open": spent.open / MICRO,
        "day_by_key": {key: micros / MICRO for key, micros in spent.keys.items()},
    }


def _flight(flight: Flight) -> Mapping[str, object]:
    conductor = flight.conductor
    asked, fitted, account = conductor.asked, conductor.fitted, conductor.account
    return {
        "id": asked.id,
        "agent": asked.agent,
        "session": asked.session,
        "model": asked.conversation.model,
        "target": str(fitted.target) if fitted else None,
        "state": account.state,
        "seconds": round(account.age, 1),
        "expected_seconds": None if account.expected is None else round(account.expected, 1),
        "prompt_tokens": fitted.count.tokens if fitted else None,
        "window": fitted.window if fitted else None,
        "attempt": account.attempts,
        "followers": flight.followers,
        "did": list(account.did),
    }


def _upstream(live: Live) -> Mapping[str, object]:
    speeds = {(model, window): speed for model, window, speed in live.paces.known()}
    return {
        "url": live.rule.url,
        "trouble": live.trouble,
        "running": live.slots.running,
        "waiting": live.slots.waiting,
        "expected_wait_seconds": round(live.slots.wait(), 1),
        "models": {
            model: {
                "window": pinned.window,
                "window_from": pinned.source,
                "prompt_tokens_per_second": _rounded(speed.prompt if speed else 0.0),
                "answer_tokens_per_second": _rounded(speed.answer if speed else 0.0),
                "load_seconds": _rounded(speed.load_seconds if speed else 0.0),
            }
            for model, pinned in live.windows.all().items()
            for speed in (speeds.get((model, pinned.window)),)
        },
    }


def _rounded(measured: float) -> float | None:
    """None where nothing was measured yet."""
    return round(measured, 1) if measured else None
