"""`holdfast status`: what a running Holdfast works on, what each request waits for, and how its model servers are."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from gateway.cli.outcome import FINE, CannotRun
from gateway.cli.printing import add_row, console, duration, plain, print_json, table
from gateway.cli.running_gateway import add_flags, ask, url_of
from gateway.cli.telling import events_of
from gateway.core.wire.fields import is_object


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "status",
        help="show what runs now, and how long it will still take",
        description="Show what a running Holdfast works on: each request, what it waits for and how long that will still take, "
        "where it is known; and the state of each model server.",
        epilog="Exit status: 0 shown, 2 no Holdfast answers. --json prints what GET /holdfast/status answers, with "
        "what GET /readyz says of the servers under `ready`.",
    )
    add_flags(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands: since how many seconds, and how many seconds more that is expected to last, if that is known."""

    words: str
    since: float
    left: float | None = None


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    url = url_of(arguments)
    said = ask(url, "/holdfast/status")
    if said.status != 200:
        raise CannotRun(said.problem)
    told = {**said.body, "ready": ask(url, "/readyz").body}
    if arguments.json:
        print_json(told)
    else:
        _show(url, told, time.time())
    return FINE


def standing(record: Mapping[str, object], now: float) -> Standing:
    """Where a request stands by the last events of its record; `now` in seconds since 1970."""
    events, age = events_of(record), max(0.0, now - _number(record, "began"))
    last = events[-1] if events else {}
    since = max(0.0, age - _number(last, "at"))
    number = next((each.get("number") for each in reversed(events) if each.get("event") == "Began"), 1)
    attempt = "" if number == 1 else f" (attempt {number})"
    match last.get("event"):
        case "Fitted" | "Moved":
            return Standing("waits for its turn", since)
        case "Began":
            after, expected = _number(last, "after"), last.get("expected")
            left = max(0.0, after + expected - since) if isinstance(expected, int | float) else None
            return Standing(f"waits for the first part: the model is loaded, or reads the prompt{attempt}", since, left)
        case "FirstPart":
            return Standing(f"the answer is being written{attempt}", since)
        case "Broke":
            return Standing("an attempt broke; the next one comes", since)
        case _:
            return Standing("its prompt is being measured, or waits for its turn", since)


def _show(url: str, told: Mapping[str, object], now: float) -> None:
    out = console()
    running = _objects(told.get("running"))
    out.print(Text(f"Holdfast at {url}: {_counted(len(running))}.", style="bold"))
    if running:
        made = table("request", "from", "model", "since>", "now", "for>", "still about>")
        for each in running:
            came = next((event for event in events_of(each) if event.get("event") == "Came"), {})
            stands = standing(each, now)
            left = "" if stands.left is None else duration(stands.left)
            since = duration(max(0.0, now - _number(each, "began")))
            row = (
                each.get("id"),
                came.get("agent"),
                came.get("model"),
                since,
                stands.words,
                duration(stands.since),
                left,
            )
            add_row(made, row)
        out.print(made)
    out.print(_servers(told))
    ready = told.get("ready")
    notices = ready.get("notices") if is_object(ready) else None
    for notice in notices if isinstance(notices, list) else ():
        out.print(Text(plain(f"! {notice}"), style="yellow"))


def _servers(told: Mapping[str, object]) -> object:
    """The model servers, with their slots where the gateway tells of them."""
    ready = told.get("ready")
    states = ready.get("upstreams") if is_object(ready) else None
    slots = {str(each.get("name")): each for each in _objects(told.get("upstreams"))}
    made = table("server", "address", "state", "slots>", "busy>", "waiting>")
    for name, state in states.items() if is_object(states) else ():
        if is_object(state):
            fine = f"answers: {state.get('version')}" if state.get("ok") else f"does not answer: {state.get('trouble')}"
            held = slots.get(name, {})
            add_row(made, (name, state.get("url"), fine, held.get("slots"), held.get("busy"), held.get("waiting")))
    return made


def _counted(requests: int) -> str:
    return {0: "nothing is under way", 1: "1 request is under way"}.get(requests, f"{requests} requests are under way")


def _number(fields: Mapping[str, object], key: str) -> float:
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if is_object(each)] if isinstance(value, list) else []
