"""MiniCPM5: `<function name="f"><param name="p">…</param></function>`; values raw, or in CDATA where they hold markup."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.tagged import Grammar, read_tagged, render_invoke

_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_SPLIT_END = f"]]{_CDATA_END}{_CDATA}>"  # how the end itself stands inside


def _decode(text: str) -> str:
    inside = text.strip()
    if not (inside.startswith(_CDATA) and inside.endswith(_CDATA_END)):
        return text
    return inside[len(_CDATA) : -len(_CDATA_END)].replace(_SPLIT_END, _CDATA_END)


def _encode(text: str) -> str:
    return f"{_CDATA}{text.replace(_CDATA_END, _SPLIT_END)}{_CDATA_END}" if "<" in text or "&" in text else text


_GRAMMAR = Grammar(
    group=(),
    group_end=(),
    call=("<function ",),
    call_end=("</function>",),
    argument=("<param ",),
    argument_end=("</param>",),
    skips=("<arguments>", "</arguments>"),
    decode=_decode,
    encode=_encode,
)


MINICPM5 = Dialect(
    name="minicpm5",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=partial(render_invoke, grammar=_GRAMMAR),
    openers=(Opener("<function ", then=("name",)),),
    closers=("</function>",),
    inner=("</param>",),
    taught=("<param name=",),
    models=("minicpm5",),
)
