"""Kimi K2: a section of calls, each with an id that says its name and number, and its arguments as JSON."""

from __future__ import annotations

import re
from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.groups import Group, read_group
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_SECTION = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>")
_SECTION_END = ("<|tool_calls_section_end|>", "<|tool_call_section_end|>")
_CALL, _ARGUMENTS, _CALL_END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
_ID = re.compile(r"(?:functions\.)?(.+?)(?::(\d+))?")


def _call(reading: Reading, begin: int) -> Steps[bool]:
    """`functions.NAME:0`, the arguments' marker, JSON. Routers that strip special tokens leave `NAME:0` (typeclaw#344)."""
    bare = reading.opener not in (*_SECTION, _CALL)
    try:
        found = yield from reading.scanner.short(tokens(_ARGUMENTS, "{", "\n"))
    except Ended:
        return not bare and reading.nameless(begin)
    told = _ID.fullmatch(found[0].strip()) if found and found[1] != "\n" else None
    declared = reading.meant(told[1]) if told else None
    if not found or not told or (bare and declared is None):
        return False
    stripped = bare or found[1] == "{"
    if found[1] == "{":
        reading.scanner.at -= 1
    call_id = f"functions.{told[1]}:{told[2]}" if told[2] else ""
    draft = Draft(told[1], "", ("stripped_token",) if stripped else (), call_id)
    return (yield from read_arguments(reading, draft, begin, closers=(_CALL_END, *_SECTION_END)))


_GROUP = Group(openers=_SECTION, closers=_SECTION_END, call_openers=(_CALL,), between=(_CALL_END,), call=_call)


def _named(name: str) -> tuple[Opener, ...]:
    return tuple(Opener(prefix + name, then=(":",), where=Where.LINE) for prefix in ("", "functions."))


def _render(call: Call) -> str:
    call_id = call.id or f"functions.{call.name}:0"
    return f"{_SECTION[0]}{_CALL}{call_id}{_ARGUMENTS}{call.arguments}{_CALL_END}{_SECTION_END[0]}"


KIMI_K2 = Dialect(
    name="kimi-k2",
    read=partial(read_group, group=_GROUP),
    render=_render,
    openers=tuple(Opener(token) for token in (*_SECTION, _CALL)),
    named=_named,
    closers=(_CALL_END, *_SECTION_END),
    noise=("<|im_end|>",),
    thinks=(Think("<think>", "</think>"), Think("◁think▷", "◁/think▷")),
    taught=("<|tool_calls_section_begin|>",),
    models=("kimi-k2", "kimi"),
)
