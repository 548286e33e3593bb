"""DSML: DeepSeek V3.2 and V4. Each argument's tag says whether its value is a raw string or JSON."""

from __future__ import annotations

from functools import partial

from gateway.core.calls.json_value import write
from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.fields import arguments_of
from gateway.core.dialects.tagged import Grammar, attribute, read_tagged
from gateway.core.stream import Call

_GROUPS = ("function_calls", "tool_calls")  # V3.2, V4


def _each(opening: str, *names: str, end: str = "") -> tuple[str, ...]:
    """The tags with the pipes as the tokenizer writes them, as it doubles them (seen with V4), and in ASCII."""
    return tuple(f"{opening}{pipe}DSML{pipe}{name}{end}" for name in names for pipe in ("｜", "｜｜", "|"))


def _plain(inside: str) -> bool | None:
    said = attribute(inside, "string")
    return said == "true" if said else None


_GRAMMAR = Grammar(
    group=_each("<", *_GROUPS, end=">"),
    group_end=_each("</", *_GROUPS, end=">"),
    call=_each("<", "invoke "),
    call_end=_each("</", "invoke>"),
    argument=_each("<", "parameter "),
    argument_end=_each("</", "parameter>"),
    plain_of=_plain,
)


def _render(call: Call) -> str:
    lines = [f'<｜DSML｜invoke name="{call.name}">']
    for key, value in arguments_of(call).items():
        text, plain = (value, "true") if isinstance(value, str) else (write(value), "false")
        lines.append(f'<｜DSML｜parameter name="{key}" string="{plain}">{text}</｜DSML｜parameter>')
    return "\n".join(("<｜DSML｜function_calls>", *lines, "</｜DSML｜invoke>", "</｜DSML｜function_calls>"))


DSML = Dialect(
    name="deepseek-dsml",
    read=partial(read_tagged, grammar=_GRAMMAR),
    render=_render,
    openers=tuple(Opener(token) for token in (*_GRAMMAR.group, *_GRAMMAR.call)),
    closers=(*_GRAMMAR.call_end, *_GRAMMAR.group_end),
    inner=_GRAMMAR.argument_end,
    taught=("｜DSML｜",),
    models=("deepseek-v3.2", "deepseek-v4", "deepseek4"),
)
