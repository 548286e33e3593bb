"""`holdfast serve`: runs the gateway until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import sys

import structlog

from gateway.cli.settings import Settings, add_upstream_flags, settings_of
from gateway.config.load import BadPolicy
from gateway.server.running import Running, loopback
from gateway.telemetry.log import configure

log = structlog.get_logger()


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the gateway",
        description="Run the gateway in front of the Ollama of this machine, or of what the flags or the policy name.",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8484)")
    parser.add_argument(
        "--keyless", action="store_true", help="listen beyond this machine without API keys (a firewall's job then)"
    )
    add_upstream_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    configure()
    try:
        settings = settings_of(arguments)
    except BadPolicy as error:
        print(error, file=sys.stderr)
        return 2
    host = settings.policy.server.host
    if not loopback(host) and not settings.keyless:
        print(
            f"{host} can be reached from other machines, and no API keys are set up; listen on 127.0.0.1, or say --keyless",
            file=sys.stderr,
        )
        return 2
    try:
        import uvloop

        return uvloop.run(_serve(settings))
    except ImportError:
        return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    from gateway.app import assemble

    running = Running(assemble(settings.policy, state=settings.state), settings.policy)
    try:
        await running.start()
    except OSError as error:
        print(f"can't listen on {settings.policy.server.host}:{settings.policy.server.port}: {error}", file=sys.stderr)
        return 2
    await running.until_told()
    return 0
