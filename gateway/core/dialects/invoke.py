"""Anthropic-style calls: `invoke` tags in a `function_calls` group, raw values, with or without the `antml` prefix."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.tagged import Grammar, read_tagged, render_invoke


def _each(opening: str, name: str, end: str) -> tuple[str, ...]:
    return tuple(f"{opening}{prefix}{name}{end}" for prefix in ("", "antml:"))


_GRAMMAR = Grammar(
    group=_each("<", "function_calls", ">"),
    group_end=_each("</", "function_calls", ">"),
    call=_each("<", "invoke", " "),
    call_end=_each("</", "invoke", ">"),
    argument=_each("<", "parameter", " "),
    argument_end=_each("</", "parameter", ">"),
)


INVOKE = Dialect(
    name="invoke",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=partial(render_invoke, grammar=_GRAMMAR),
    openers=(
        *(Opener(group, then=_GRAMMAR.call) for group in _GRAMMAR.group),
        *(Opener(call, then=("name",)) for call in _GRAMMAR.call),
    ),
    closers=(*_GRAMMAR.call_end, *_GRAMMAR.group_end),
    inner=_GRAMMAR.argument_end,
    taught=("<function_calls>\n<invoke",),
)
