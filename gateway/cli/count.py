"""`holdfast count FILE`: how long the prompt of a chat request is for its model, and whether the window holds it. Sends nothing on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from gateway.cli.looking import Request, add_flags, look
from gateway.cli.outcome import FINE
from gateway.cli.printing import plain, print_json
from gateway.core.budget import prompt_budget
from gateway.service.front.gateway import Gateway
from gateway.service.front.looking import input_tokens

_MADE = {
    "exact": "counted over the prompt that the server renders, with the model's own vocabulary",
    "calibrated": "estimated, and put right by what the server counted before",
    "estimated": "estimated from its length, since the model's vocabulary can't be had",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "count",
        help="count the tokens of a chat request",
        description="Count the prompt tokens of an OpenAI chat request as its model will read it. The server may be asked to "
        "render the prompt, which loads the model, as the chat itself would; nothing is generated.",
        epilog="Exit status: 0 counted, 2 could not run. --json prints what POST /v1/chat/completions/input_tokens answers.",
    )
    add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    told, budget = look(arguments, _count)
    if arguments.json:
        print_json(told)
    else:
        print(plain(_words(told, budget)))
    return FINE


async def _count(gateway: Gateway, request: Request) -> tuple[Mapping[str, object], int | None]:
    """What the endpoint answers, and how long the prompt may be."""
    told = await input_tokens(gateway, request.conversation)
    window, margin = told["window"], told["margin"]
    if not isinstance(window, int) or not isinstance(margin, int):
        return told, None
    conversation = request.conversation
    reserve = gateway.policy.rule_for(conversation.model).output_reserve
    most = conversation.sampling.max_tokens
    return told, prompt_budget(window, max_tokens=most, reserve=reserve, margin=margin)


def _words(told: Mapping[str, object], budget: int | None) -> str:
    tokens, method, margin, window = told["input_tokens"], str(told["method"]), told["margin"], told["window"]
    assert isinstance(tokens, int)
    about = f"{tokens:,} tokens" if method == "exact" else f"about {tokens:,} tokens, {margin:,} more at most"
    lines = [f"{told['model']}: {about}", f"{method}: {_MADE[method]}"]
    if budget is None:
        lines.append("its window is not known; give it one in the policy (models, window)")
    elif tokens <= budget:
        lines.append(f"its window of {window:,} takes prompts of up to {budget:,}: {budget - tokens:,} are left")
    else:
        lines.append(
            f"its window of {window:,} takes prompts of up to {budget:,}: this one is {tokens - budget:,} too long, "
            "and would be compacted (holdfast compact shows how)"
        )
    return "\n".join(lines)
