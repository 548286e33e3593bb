"""`holdfast`: finds the command and runs it. Exit status 0 fine, 1 found something, 2 could not run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.cli import compact, count, demo, doctor, policy, serve, show, status
from gateway.cli.outcome import COULD_NOT_RUN, FINE, CannotRun
from gateway.config.load import BadPolicy

COMMANDS = (serve, status, show, doctor, count, compact, policy, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="A gateway that keeps coding agents alive on local models.",
        epilog="`holdfast COMMAND --help` explains a command. Settings: a flag wins over HOLDFAST_* variables, these over the policy.",
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in COMMANDS:
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
