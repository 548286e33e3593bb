"""Functionary v3.1, and Llama 3.1 prompted for custom tools: `<function=NAME>{…}</function>`."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.tagged import Grammar, bare_name, read_tagged
from gateway.core.stream import Call

_GRAMMAR = Grammar(
    group=(),
    group_end=(),
    call=("<function=",),
    call_end=("</function>",),
    argument=("<parameter=",),
    argument_end=("</parameter>",),
    name_of=bare_name,
)


def _render(call: Call) -> str:
    return f"<function={call.name}>{call.arguments}</function>"


FUNCTIONARY = Dialect(
    name="functionary",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=_render,
    openers=(Opener("<function="),),
    closers=("</function>",),
    noise=("<|eom_id|>", "<|eot_id|>"),
    taught=("<function=",),
    models=("functionary",),
)
