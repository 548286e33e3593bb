"""`holdfast audit [verify]`: what left the house, came back or was kept; and whether the log of it is whole."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from gateway.cli.outcome import FINE, FOUND, CannotRun
from gateway.cli.printing import add_row, console, print_json, table
from gateway.cli.settings import settings_of
from gateway.core.spending import dollars
from gateway.store.secret import key_for, secret_in
from gateway.telemetry.audit_chain import Checked, check, entries, files

_SHOWN = 50


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "audit",
        help="show what left the house, or verify the log of it",
        description="Show the last lines of the audit log: what went away, what came back, what the privacy gate kept. It never "
        "holds content. `verify` checks its chain of marks, so that a changed or missing line is found.",
        epilog="Exit status: 0 fine, 1 the log was changed (verify), 2 could not run.",
    )
    parser.add_argument("verb", nargs="?", choices=("show", "verify"), default="show", help="show (default) or verify")
    parser.add_argument("--last", type=int, default=_SHOWN, metavar="N", help=f"lines to show (default {_SHOWN})")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--policy", metavar="FILE", help="policy file (default: ./policy.yaml where there is one)")
    parser.add_argument("--state", metavar="DIR", help="where what is kept lies (default: ~/.local/state/holdfast)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    folder = settings_of(arguments).state
    if arguments.verb == "verify":
        return _verify(folder, as_json=arguments.json)
    return _show(folder, arguments.last, as_json=arguments.json)


def _verify(folder: Path, *, as_json: bool) -> int:
    if not files(folder):
        found = Checked()
    else:
        try:
            found = check(folder, key_for("audit", secret_in(folder)))
        except OSError as error:
            raise CannotRun(f"{folder} can't be read: {error}; say where the log is: --state DIR") from None
    if as_json:
        print_json({"lines": found.lines, "first": found.first, "torn": found.torn, "broken": found.broken})
    else:
        print(_words(found, folder))
    return FOUND if found.broken else FINE


def _words(found: Checked, folder: Path) -> str:
    if not found.lines and not found.broken:
        return f"{folder}: there is no audit log yet; nothing has asked to leave"
    torn = f", {found.torn} torn by a kill" if found.torn else ""
    counted = f"{found.lines} lines from number {found.first} on{torn}"
    return f"{folder}: {found.broken} (up to there: {counted})" if found.broken else f"{folder}: whole, {counted}"


def _show(folder: Path, last: int, *, as_json: bool) -> int:
    try:
        shown = deque(entries(folder), maxlen=max(1, last))
    except OSError as error:
        raise CannotRun(f"{folder} can't be read: {error}; say where the log is: --state DIR") from None
    if as_json:
        print_json({"entries": list(shown)})
        return FINE
    made = table("time", "event", "key", "target", "prompt>", "answer>", "cost>", "why")
    for entry in shown:
        add_row(made, _cells(entry))
    console().print(made)
    return FINE


def _cells(entry: Mapping[str, object]) -> list[object]:
    cost, reasons, rules = entry.get("cost"), entry.get("reasons"), entry.get("rules")
    why = entry.get("failure") or (reasons[-1] if isinstance(reasons, list) and reasons else "")
    found = f" ({', '.join(map(str, rules))})" if isinstance(rules, dict) and rules else ""
    return [
        str(entry.get("time", ""))[:19],
        entry.get("event"),
        entry.get("key"),
        entry.get("target"),
        entry.get("prompt_tokens"),
        entry.get("completion_tokens"),
        dollars(cost) if isinstance(cost, int) else None,
        f"{why}{found}",
    ]
