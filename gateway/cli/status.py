"""`holdfast status`: what a running Holdfast works on, what each request waits for, and how its model servers are."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from gateway.cli.outcome import FINE, CannotRun
from gateway.cli.printing import add_row, console, duration, plain, print_json, table
from gateway.cli.running_gateway import add_flags, ask, objects, url_of
from gateway.core.wire.fields import is_object


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "status",
        help="show what runs now, and how long it will still take",
        description="Show what a running Holdfast works on: each request, what it waits for and how long that will still take, "
        "where it is known; then each model server with its line, and how fast its models are.",
        epilog="Exit status: 0 shown, 2 no Holdfast answers. --json prints what GET /holdfast/status answers.",
    )
    add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    url = url_of(arguments)
    said = ask(url, "/holdfast/status")
    if said.status != 200:
        raise CannotRun(said.problem)
    if arguments.json:
        print_json(said.body)
    else:
        show(url, said.body, console())
    return FINE


def show(url: str, told: Mapping[str, object], out: Console) -> None:
    """Print an answer of `GET /holdfast/status`."""
    _running(url, told, out)
    _servers(told, out)
    _models(told, out)
    spent = told.get("spent")
    if is_object(spent):
        day, total, kept = (float(str(spent.get(name))) for name in ("day", "total", "open"))
        out.print(f"Spent in clouds: ${day:.4f} today, ${total:.4f} in all; ${kept:.4f} of it is only set aside.\n")
    notices = told.get("notices")
    for notice in notices if isinstance(notices, list) else ():
        out.print(Text(plain(f"! {notice}"), style="yellow"))


def _running(url: str, told: Mapping[str, object], out: Console) -> None:
    running = told.get("running")
    requests = [each for each in running if is_object(each)] if isinstance(running, list) else []
    counted = {0: "nothing is under way", 1: "1 request is under way"}
    under_way = counted.get(len(requests), f"{len(requests)} requests are under way")
    out.print(Text(plain(f"Holdfast at {url}: {under_way}.\n"), style="bold"))
    if not requests:
        return
    made = table("request!", "from", "model", "since>", "what it does", "first word in>", "prompt>", "done for it")
    for each in requests:
        attempt = each.get("attempt")
        state = f"{each.get('state')}{f', attempt {attempt}' if isinstance(attempt, int) and attempt > 1 else ''}"
        did = each.get("did")
        add_row(
            made,
            (
                each.get("id"),
                each.get("agent"),
                each.get("target") or each.get("model"),
                _time(each.get("seconds")),
                state,
                _time(each.get("expected_seconds")),
                _number(each.get("prompt_tokens")),
                ", ".join(str(word) for word in did) if isinstance(did, list) else "",
            ),
        )
    out.print(made, "")


def _servers(told: Mapping[str, object], out: Console) -> None:
    made = table("server", "address", "state", "at work>", "in line>", "a newcomer waits>")
    for name, each in objects(told.get("upstreams")):
        state = f"trouble: {each['trouble']}" if each.get("trouble") else "fine"
        counts = (_number(each.get("running")), _number(each.get("waiting")))
        add_row(made, (name, each.get("url"), state, *counts, _time(each.get("expected_wait_seconds"))))
    out.print(made, "")


def _models(told: Mapping[str, object], out: Console) -> None:
    made = table("model", "window>", "told by", "reads tokens/s>", "writes tokens/s>", "loads in>")
    for server, upstream in objects(told.get("upstreams")):
        for name, each in objects(upstream.get("models")):
            speeds = (_number(each.get(f"{what}_tokens_per_second")) for what in ("prompt", "answer"))
            cells = (_number(each.get("window")), each.get("window_from"), *speeds, _time(each.get("load_seconds")))
            add_row(made, (f"{server}/{name}", *cells))
    if made.row_count:
        out.print(made, "")


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else ""


def _time(value: object) -> str:
    return duration(float(value)) if isinstance(value, int | float) else ""
