"""MiniMax M2: `<invoke name="f">` in `<minimax:tool_call>`, several to a group, raw values."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.tagged import Grammar, read_tagged, render_invoke

_GRAMMAR = Grammar(
    group=("<minimax:tool_call>",),
    group_end=("</minimax:tool_call>",),
    call=("<invoke ",),
    call_end=("</invoke>",),
    argument=("<parameter ",),
    argument_end=("</parameter>",),
)


MINIMAX_M2 = Dialect(
    name="minimax-m2",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=partial(render_invoke, grammar=_GRAMMAR),
    openers=(Opener("<minimax:tool_call>"), Opener("<invoke ", then=("name",))),
    closers=("</invoke>", "</minimax:tool_call>"),
    inner=("</parameter>",),
    taught=("<minimax:tool_call>",),
    models=("minimax-m2", "minimax"),
)
