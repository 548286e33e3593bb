"""`holdfast`: finds the command and runs it. Exit status 0 fine, 1 found something, 2 could not run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.cli import demo, policy, serve

COMMANDS = (serve, demo, policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="A gateway that keeps coding agents alive on local models.",
        epilog="Every command explains itself with --help. Settings: a flag wins over HOLDFAST_* variables, these over the policy.",
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
