"""`holdfast`: finds the command and runs it. Exit status 0 fine, 1 found something, 2 could not run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from gateway import __version__
from gateway.cli.outcome import COULD_NOT_RUN, FINE, CannotRun
from gateway.config.load import BadPolicy

COMMANDS = ("serve", "status", "show", "doctor", "count", "compact", "route", "audit", "policy", "demo")
"""Each is a file of this folder, loaded only where it is needed: `status` need not wait for all that `serve` runs."""


class Command(Protocol):
    """What such a file has: it adds its parser, whose `run` takes the arguments and gives the exit status."""

    def add_to(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(words[0] if words else "")
    arguments = parser.parse_args(words)
    if "run" not in arguments:
        parser.print_help(sys.stderr)
        return COULD_NOT_RUN
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return FINE
    except KeyboardInterrupt:
        return COULD_NOT_RUN
    except (CannotRun, BadPolicy) as error:
        print(f"holdfast {arguments.command}: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    return status


def _parser(first: str) -> argparse.ArgumentParser:
    """The parser for a command line that begins with a word: of one command where that names it, else of all."""
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="A gateway that keeps coding agents alive on local models.",
        epilog="`holdfast COMMAND --help` explains a command. Settings: a flag wins over HOLDFAST_* variables, these over the policy.",
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name in (first,) if first in COMMANDS else COMMANDS:
        cast("Command", import_module(f"gateway.cli.{name}")).add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
