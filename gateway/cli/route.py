"""`holdfast route FILE`: where a chat request would go, for whom, why and at what price. Sends nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from functools import partial

from gateway.cli.looking import Request, add_flags, look
from gateway.cli.outcome import FINE, CannotRun
from gateway.cli.printing import plain, print_json
from gateway.core.access import Caller
from gateway.core.spending import dollars
from gateway.core.wire.fields import is_object
from gateway.service.asked import Asked
from gateway.service.front.gateway import Gateway
from gateway.service.front.routing import routed


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "route",
        help="say where a chat request would go, why, and at what price",
        description="Decide over an OpenAI chat request as the gateway would: whether it is heavy, whether it may leave the "
        "house, which targets it has. Nothing is sent anywhere but to the model server at home, which may render the prompt.",
        epilog="Exit status: 0 decided, 2 could not run. --json prints everything as one object.",
    )
    add_flags(parser)
    parser.add_argument(
        "--key", metavar="NAME", help="the client whose key it comes with (default: this machine, without one)"
    )
    parser.add_argument("--heavy", action="store_true", help="as if x-holdfast-route: heavy were sent")
    parser.add_argument("--local", action="store_true", help="as if x-holdfast-privacy: local were sent")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    told = look(arguments, partial(_route, arguments=arguments))
    if arguments.json:
        print_json(told)
    else:
        print(plain("\n".join(_lines(told))))
    return FINE


async def _route(gateway: Gateway, request: Request, *, arguments: argparse.Namespace) -> Mapping[str, object]:
    asked = Asked(
        id="route",
        conversation=request.conversation,
        policy=gateway.policy,
        surface="openai",
        sends=True,
        caller=_caller(gateway, arguments.key),
        privacy="local" if arguments.local else None,
        route="heavy" if arguments.heavy else "",
    )
    return await routed(gateway, asked)


def _caller(gateway: Gateway, key: str | None) -> Caller:
    if key is None:
        return Caller(near=True, label=gateway.policy.privacy.anonymous)
    found = gateway.keyring.named(key, near=True)
    if found is None:
        known = ", ".join(gateway.policy.keys) or "none"
        raise CannotRun(f"the policy has no key {key!r}; known are: {known}")
    return found


def _lines(told: Mapping[str, object]) -> Iterator[str]:
    targets, gate = told["targets"], told["gate"]
    assert isinstance(targets, list)
    assert is_object(gate)
    yield f"{'away' if told['away'] else 'at home'}: {', then '.join(targets)}"
    yield f"for {told['key']}, whose label is {told['label']}"
    yield from _listed("why", told["reasons"])
    yield from _listed("the privacy gate", [f"{each['step']}: {_reason(each)}" for each in _objects(gate["reasons"])])
    found = gate["rules"]
    if is_object(found) and found:
        yield from _listed("found", [f"{rule}: {count}" for rule, count in found.items()])
    yield from _listed("offers", [_offer(each) for each in _objects(told["offers"])])


def _listed(title: str, lines: object) -> Iterator[str]:
    if isinstance(lines, list) and lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if is_object(each)] if isinstance(value, list) else []


def _reason(reason: Mapping[str, object]) -> str:
    return f"{reason['words']} ({reason['about']})" if reason["about"] else str(reason["words"])


def _offer(offer: Mapping[str, object]) -> str:
    worst = offer["worst_micro_dollars"]
    price = f"at most {dollars(worst)}" if isinstance(worst, int) else "price not known"
    return f"{offer['target']}: {price}{', but ' + str(offer['why_not']) if offer['why_not'] else ''}"
