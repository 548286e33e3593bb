"""Cohere: Command-R7B and Command-A write a JSON list between action markers, Command-R+ one in a fence behind `Action:`."""

from __future__ import annotations

from functools import partial

from gateway.core.calls.json_value import write
from gateway.core.dialects.dialect import Dialect, Opener, Think
from gateway.core.dialects.objects import Form, read_objects
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_ACTION = Form(closers=("<|END_ACTION|>",))
_FENCE = Form(closers=("```",), idle=("directly-answer", "directly_answer"))
_THINKS = (Think("<|START_THINKING|>", "<|END_THINKING|>"),)
_NOISE = ("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>", "<|END_OF_TURN_TOKEN|>")


def _read_fence(reading: Reading) -> Steps[bool]:
    """The fence that was seen ahead is what opens the list; the next one closes it."""
    scanner = reading.scanner
    try:
        yield from scanner.blanks()
        yield from scanner.token(tokens("```json", "```"))
    except Ended:
        return reading.nameless(reading.start)
    return (yield from read_objects(reading, _FENCE))


def _render(call: Call, *, before: str, after: str) -> str:
    return f'{before}[{{"tool_name": {write(call.name)}, "parameters": {call.arguments}}}]{after}'


COHERE_ACTION = Dialect(
    name="cohere-action",
    read=partial(read_objects, form=_ACTION),
    render=partial(_render, before="<|START_ACTION|>", after="<|END_ACTION|>"),
    openers=(Opener("<|START_ACTION|>"),),
    closers=("<|END_ACTION|>",),
    noise=_NOISE,
    thinks=_THINKS,
    taught=("<|START_ACTION|>",),
    models=("command-r7b", "command-a", "cohere2"),
)
COHERE_FENCE = Dialect(
    name="cohere-fence",
    read=_read_fence,
    render=partial(_render, before="Action: ```json\n", after="```"),
    bare=(Opener("Action:", then=("```json", "```")),),
    noise=_NOISE,
    thinks=_THINKS,
    taught=("Action: ```json", "Action:\n```json"),
    models=("command-r-plus", "command-r"),
)
