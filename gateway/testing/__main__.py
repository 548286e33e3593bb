"""`python -m gateway.testing`: the simulated Ollama on a port, for people to point things at."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import sys

from gateway.testing.demo import demo
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.generations import NEW, OLD
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.runtime.scheduler import Machine


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(argv)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.testing", description="A simulated Ollama that plays scripts and faults."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--model", default="demo", help="the model's name (default: demo)")
    parser.add_argument(
        "--family", choices=sorted(FAMILIES), default="qwen3-coder", help="how it is prompted and how it writes"
    )
    parser.add_argument("--window", type=int, default=32_768, help="the window that it was trained for, in tokens")
    parser.add_argument("--num-ctx", type=int, default=4096, help="the window where a request names none")
    parser.add_argument(
        "--generation", choices=("old", "new"), default="new", help="llama runner or llama-server wording"
    )
    parser.add_argument("--speed", type=float, default=math.inf, help="tokens a second that it writes")
    parser.add_argument("--prompt-speed", type=float, default=math.inf, help="tokens a second that it reads")
    parser.add_argument("--load-seconds", type=float, default=0.0)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND[@AT]", help=f"once each: {', '.join(FaultKind)}"
    )
    return parser


def fault(text: str) -> Fault:
    """`crash@40` as a fault; `stall@3` stalls for a minute."""
    kind, _, at = text.partition("@")
    return Fault(kind=FaultKind(kind), at=int(at or 0), seconds=60.0)


async def _serve(options: argparse.Namespace) -> None:
    model = SimModel(
        name=options.model,
        family=FAMILIES[options.family],
        script=demo,
        window=options.window,
        speed=options.speed,
        prompt_speed=options.prompt_speed,
        load_seconds=options.load_seconds,
    )
    generation = NEW if options.generation == "new" else OLD
    machine = Machine(default_window=options.num_ctx)
    server = SimulatedOllama([model], generation=generation, machine=machine, faults=map(fault, options.fault))
    await server.start(options.port, options.host)
    print(f"simulated Ollama {generation.version} on {server.url}, model {model.name}", file=sys.stderr)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


if __name__ == "__main__":
    sys.exit(main())
