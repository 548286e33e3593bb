"""MiniCPM5: `<function name="f"><param name="p">…</param></function>`, raw values."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tagged import Grammar, read_tagged, render_invoke

_GRAMMAR = Grammar(
    group=(),
    group_end=(),
    call=("<function ",),
    call_end=("</function>",),
    argument=("<param ",),
    argument_end=("</param>",),
)


def _read(reading: Reading, _opener: str) -> Steps[bool]:
    return read_tagged(reading, _GRAMMAR)


MINICPM5 = Dialect(
    name="minicpm5",
    read=_read,
    render=partial(render_invoke, grammar=_GRAMMAR),
    openers=(Opener("<function ", then=("name",)),),
    closers=("</function>",),
    inner=("</param>",),
    taught=("<param name=",),
    models=("minicpm5",),
)
