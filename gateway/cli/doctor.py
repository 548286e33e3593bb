"""`holdfast doctor`: what is wrong with this set-up, and what to change. It reads; nothing is generated, loaded or written."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from gateway.cli.doctor_report import show
from gateway.cli.examining import Asked, examine
from gateway.cli.outcome import FINE, FOUND
from gateway.cli.printing import console, print_json
from gateway.cli.running_gateway import NoGateway, address, ask, objects
from gateway.cli.settings import add_upstream_flags, settings_of
from gateway.core.diagnosis import diagnose
from gateway.core.diagnosis.report import report
from gateway.core.memory import parse_size
from gateway.telemetry.log import configure


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="say what is wrong with this set-up, and what to change",
        description="Look at the model servers, their models and the files of coding agents found here, and say what is wrong, "
        "with lines to paste. It only reads: nothing is generated, loaded or written.",
        epilog="Exit status: 0 nothing is wrong, 1 something is, 2 the doctor could not run.",
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--model", default="", metavar="NAME", help="look at this model alone")
    parser.add_argument(
        "--memory",
        type=_memory,
        metavar="SIZE",
        help="graphics memory that a model may use, like 24GiB: which windows fit?",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=0.0,
        metavar="N",
        help="tokens a second that the models read; default: as a running Holdfast has measured",
    )
    add_upstream_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises BadPolicy."""
    configure(level="error")
    settings = settings_of(arguments)
    asked = Asked(
        folder=Path.cwd(),
        home=Path.home(),
        environment=os.environ,
        model=arguments.model,
        speed=arguments.speed,
        learnt={} if arguments.speed else _learnt(address(settings.policy.server)),
        memory=arguments.memory,
    )
    setup = asyncio.run(examine(settings, asked))
    findings = diagnose(setup)
    told = report(setup, findings)
    if arguments.json:
        print_json(told)
    else:
        show(told, console())
    return FINE if told["ok"] else FOUND


def _learnt(gateway: str) -> dict[tuple[str, str], float]:
    """The speeds that a running Holdfast has measured, if one runs, by upstream and model."""
    try:
        upstreams = objects(ask(gateway, "/holdfast/status").body.get("upstreams"))
    except NoGateway:
        return {}
    return {
        (name, model): float(speed)
        for name, upstream in upstreams
        for model, each in objects(upstream.get("models"))
        if isinstance(speed := each.get("prompt_tokens_per_second"), int | float)
    }


def _memory(text: str) -> int:
    size = parse_size(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it like 24GiB or 512MiB")
    return size


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; write tokens a second, like 400")
    return speed
