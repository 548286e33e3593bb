"""Qwen3-Coder XML: Qwen3-Coder, Qwen3.5 and later, Nemotron-3, StepFun 3.5. Values stand raw on lines of their own."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.tagged import Grammar, bare_name, read_tagged, render_tagged

_GRAMMAR = Grammar(
    group=("<tool_call>",),
    group_end=("</tool_call>",),
    call=("<function=",),
    call_end=("</function>",),
    argument=("<parameter=",),
    argument_end=("</parameter>",),
    newline=True,
    each=True,
    name_of=bare_name,
)


QWEN3_CODER = Dialect(
    name="qwen3-coder",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=partial(render_tagged, grammar=_GRAMMAR),
    openers=(Opener("<tool_call>", then=("<function=",)), Opener("<function=")),
    closers=("</function>", "</tool_call>"),
    inner=("</parameter>",),
    taught=("<parameter=",),
    models=(
        "qwen3-coder",
        "qwen3.5",
        "qwen3.6",
        "qwen3.7",
        "qwen3.8",
        "qwen35",
        "nemotron-3",
        "nemotron_h_moe",
        "step-3.5",
        "step35",
        "ornith",
    ),
)
