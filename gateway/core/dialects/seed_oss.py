"""Seed-OSS: Qwen3-Coder's tags in a wrapper of its own. Values stand raw, without any line ends around them."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener, Think
from gateway.core.dialects.tagged import Grammar, bare_name, read_tagged, render_tagged

_GRAMMAR = Grammar(
    group=("<seed:tool_call>",),
    group_end=("</seed:tool_call>",),
    call=("<function=",),
    call_end=("</function>",),
    argument=("<parameter=",),
    argument_end=("</parameter>",),
    each=True,
    name_of=bare_name,
)


SEED_OSS = Dialect(
    name="seed-oss",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=partial(render_tagged, grammar=_GRAMMAR),
    openers=(Opener("<seed:tool_call>"),),
    bare=(Opener("<function="),),
    closers=("</function>", "</seed:tool_call>"),
    inner=("</parameter>",),
    thinks=(Think("<seed:think>", "</seed:think>"),),
    taught=("<seed:tool_call>",),
    models=("seed-oss", "seed_oss"),
)
