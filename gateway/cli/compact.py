"""`holdfast compact FILE --window N`: what would be sent of a history in a window, and what would be replaced. Sends nothing on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from gateway.cli.looking import Request, add_flags, look
from gateway.cli.outcome import FINE, FOUND
from gateway.cli.printing import add_row, console, print_json, table
from gateway.core.errors import Code, Problem
from gateway.core.wire.fields import is_object
from gateway.core.wire.openai_answer import problem_json
from gateway.service.front.gateway import Gateway
from gateway.service.front.looking import compacted
from gateway.service.refusal import Refusal


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "compact",
        help="show what would be sent of a long chat request",
        description="Show what Holdfast would send of an OpenAI chat request in a window of N tokens: which messages it would "
        "replace, and what that saves. Nothing is generated.",
        epilog="Exit status: 0 it fits, 1 nothing makes it fit, 2 could not run. "
        "--json prints what POST /v1/chat/completions/compacted answers, messages and all.",
    )
    add_flags(parser)
    parser.add_argument(
        "--window", type=_window, metavar="N", help="tokens (default: the window that holds for the model)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    window: int | None = arguments.window

    async def see(gateway: Gateway, request: Request) -> Mapping[str, object] | Problem:
        try:
            return await compacted(gateway, request.conversation, request.messages, window=window)
        except Refusal as refusal:
            if refusal.problem.code is Code.WINDOW_TOO_SMALL:
                return refusal.problem
            raise

    told = look(arguments, see)
    if isinstance(told, Problem):
        if arguments.json:
            print_json(problem_json(told))
        else:
            print(told.message)
        return FOUND
    if arguments.json:
        print_json(told)
    else:
        _show(told, len(_list(told["messages"])))
    return FINE


def _window(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no window; write a number of tokens, like 32768")
    return int(text)


def _show(told: Mapping[str, object], messages: int) -> None:
    out = console()
    before, after, window = told["tokens_before"], told["tokens_after"], told["window"]
    room = f"a window of {window:,}" if isinstance(window, int) else "a window that nobody can tell"
    stages = [each for each in _list(told["stages"]) if is_object(each)]
    if not stages:
        out.print(
            f"{before:,} tokens in {messages} {'message' if messages == 1 else 'messages'} fit {room} as they are: nothing is replaced."
        )
        return
    out.print(f"{before:,} tokens become {after:,}, for {room}:")
    made = table("stage", "tokens before>", "after>", "messages")
    for each in stages:
        add_row(
            made, (each["stage"], f"{each['tokens_before']:,}", f"{each['tokens_after']:,}", _ranges(each["messages"]))
        )
    out.print(made)
    out.print("What is replaced is marked in the text; --json prints the messages as they would be sent.")


def _ranges(indices: object) -> str:
    """Indices as people write them: `2–5, 9`."""
    runs: list[list[int]] = []
    for index in sorted(each for each in _list(indices) if isinstance(each, int)):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) else ()
