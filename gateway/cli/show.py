"""`holdfast show ID`: everything that a running Holdfast did for one request."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from datetime import datetime

from rich.text import Text

from gateway.cli.outcome import FINE, FOUND, CannotRun
from gateway.cli.printing import add_row, console, duration, print_json, table
from gateway.cli.running_gateway import add_flags, ask, url_of
from gateway.cli.telling import story
from gateway.core.wire.fields import is_object

_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_KEPT = {
    "replaced": "messages as they came before compaction replaced them",
    "discarded": "what attempts had written that no later one went on from",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "show",
        help="show what was done for a request",
        description="Show what a running Holdfast did for one request: attempts, causes, times, decisions. "
        "The id stands in the response header x-holdfast-request, in the log, and in `holdfast status`.",
        epilog="Exit status: 0 shown, 1 no such record is kept, 2 no Holdfast answers. "
        "--json prints what GET /holdfast/requests/ID answers.",
    )
    parser.add_argument("id", metavar="ID", help="the request's id")
    add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    if not _ID.fullmatch(arguments.id):
        raise CannotRun(f"{arguments.id!r} is no id of a request; it stands in the header x-holdfast-request")
    said = ask(url_of(arguments), f"/holdfast/requests/{arguments.id}")
    if said.status not in (200, 404):
        raise CannotRun(said.problem)
    if arguments.json:
        print_json(said.body)
    elif said.status == 200:
        _show(said.body)
    else:
        print(f"no record of {arguments.id} is kept: it is no request of this Holdfast, or too long ago")
    return FINE if said.status == 200 else FOUND


def _show(record: Mapping[str, object]) -> None:
    out = console()
    began = record.get("began")
    when = f"{datetime.fromtimestamp(began).astimezone():%Y-%m-%d %H:%M:%S}" if isinstance(began, int | float) else ""
    state = "has ended" if record.get("ended") else "is under way"
    out.print(Text(f"Request {record.get('id')} came {when} and {state}.", style="bold"))
    made = table("after>", "what happened")
    for line in story(record):
        add_row(made, (duration(line.at), line.words))
    out.print(made)
    contents = record.get("contents")
    for key, words in _KEPT.items():
        kept = contents.get(key) if is_object(contents) else None
        if isinstance(kept, list) and kept:
            out.print(f"Still kept ({len(kept)}): {words}; --json shows them.")
