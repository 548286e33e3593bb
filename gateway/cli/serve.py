"""`holdfast serve`: runs the gateway until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack

from gateway.app import Assembly, assemble
from gateway.cli.greeting import Silent, greeting
from gateway.cli.outcome import FINE, CannotRun
from gateway.cli.settings import Settings, add_upstream_flags, settings_of
from gateway.config.load import BadPolicy, with_upstreams
from gateway.config.watch import watch
from gateway.core.policy import Policy
from gateway.core.policy.fixed import held
from gateway.server.running import Running, loopback
from gateway.service.refusal import Refusal
from gateway.telemetry.log import configure


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
    parser.add_argument(
        "--or-demo", action="store_true", help="where no Ollama answers, serve a simulated one as the model `demo`"
    )
    add_upstream_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    configure()
    settings = settings_of(arguments)
    if words := _open_to_all(settings.policy, settings):
        raise CannotRun(words)
    return _run(_serve(settings, or_demo=arguments.or_demo))


def _run(main: Coroutine[object, object, int]) -> int:
    """On uvloop where there is one."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.run(main)
    status: int = uvloop.run(main)
    return status


async def _serve(settings: Settings, *, or_demo: bool) -> int:
    async with AsyncExitStack() as stack:
        assembly = assemble(settings.policy, state=settings.state)
        demo = or_demo and not await _anyone(assembly)
        if demo:
            from gateway.testing.demo import demo_upstream  # the simulator is only loaded where it is served

            url = await stack.enter_async_context(demo_upstream())
            assembly.replace(with_upstreams(settings.policy, ollama=url, openai=None))
        running = Running(assembly.front, settings.policy, close=assembly.close)
        try:
            await running.start()
        except OSError as error:
            where = f"{settings.policy.server.host}:{settings.policy.server.port}"
            why = os.strerror(error.errno) if error.errno else error
            raise CannotRun(
                f"can't listen on {where}: {why}. Does Holdfast run already (holdfast status)? --port N takes another port"
            ) from None
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_greet(assembly, running, demo=demo))]
            if settings.file is not None:
                tasks.append(group.create_task(_watch(settings, assembly)))
            await running.until_told()
            for task in tasks:
                task.cancel()
    return FINE


async def _anyone(assembly: Assembly) -> bool:
    """Whether any upstream answers."""
    gateway = assembly.front.gateway
    for live in gateway.upstreams.live.values():
        await gateway.upstreams.refresh(live, force=True)
    return any(not live.trouble for live in gateway.upstreams.live.values())


async def _greet(assembly: Assembly, running: Running, *, demo: bool) -> None:
    gateway = assembly.front.gateway
    try:
        served = await gateway.served(facts=True)
    except Refusal:
        served = []
    silent = [Silent(live.name, live.rule.url) for live in gateway.upstreams.live.values() if live.trouble]
    if demo or sys.stdout.isatty():  # a service's log needs no greeting
        print(greeting(running.url, served, silent, demo=demo), flush=True)


async def _watch(settings: Settings, assembly: Assembly) -> None:
    assert settings.file is not None

    def swap(policy: Policy) -> None:
        policy, waiting = held(settings.over(policy), settings.policy)
        if words := _open_to_all(policy, settings):
            raise BadPolicy([words])
        assembly.replace(policy, waiting=waiting)

    await watch(settings.file, swap=swap, complain=assembly.complain)


def _open_to_all(policy: Policy, settings: Settings) -> str:
    """What is wrong where other machines could use the gateway without a key; "" where they can't, or are meant to."""
    host = policy.server.host
    if loopback(host) or settings.keyless or policy.keys:
        return ""
    return (
        f"{host} can be reached from other machines, and no API keys are set up; listen on 127.0.0.1, make a key "
        "(holdfast policy key NAME), or say --keyless"
    )
