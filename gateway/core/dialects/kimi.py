"""Kimi K2: a section of calls, each with an id that says its name and number, and its arguments as JSON."""

from __future__ import annotations

import re

from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_SECTIONS = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>")
_SECTION_ENDS = ("<|tool_calls_section_end|>", "<|tool_call_section_end|>")
_BEGIN, _ARGUMENTS, _END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
_ID = re.compile(r"(?:functions\.)?(.+?)(?::(\d+))?")


def _read(reading: Reading, opener: str) -> Steps[bool]:
    """The calls of a section; routers that strip special tokens leave `NAME:0` and the arguments' marker (typeclaw#344)."""
    scanner = reading.scanner
    if opener not in _SECTIONS:
        scanner.rewind(reading.start)
    count = 0
    bare = opener not in (*_SECTIONS, _BEGIN)
    while True:
        begin = reading.start if not count else scanner.offset
        look = yield from scanner.look(tokens(_BEGIN, _END, *_SECTION_ENDS))
        if look.rest is not None:
            return reading.over(begin, count, look.rest)
        scanner.at += look.end if look.found else 0
        if look.found in _SECTION_ENDS:
            return True
        if look.found == _BEGIN or (bare and not count):
            if not (yield from _call(reading, begin, bare=bare)):
                return bool(count)
            count += 1
        elif not look.found:
            return bool(count)


def _call(reading: Reading, begin: int, *, bare: bool) -> Steps[bool]:
    try:
        found = yield from reading.scanner.short(tokens(_ARGUMENTS, "{", "\n"))
    except Ended:
        return not bare and reading.nameless(begin)
    told = _ID.fullmatch(found[0].strip()) if found and found[1] != "\n" else None
    if not found or not told:
        return False
    if found[1] == "{":
        reading.scanner.at -= 1
    call_id = f"functions.{told[1]}:{told[2]}" if told[2] else ""
    closers = (_END, *_SECTION_ENDS)
    mends = ("stripped_token",) if bare or found[1] == "{" else ()
    return (
        yield from read_arguments(
            reading, told[1], begin=begin, closers=closers, mends=mends, call_id=call_id, bare=bare
        )
    )


def _named(name: str) -> tuple[Opener, ...]:
    return tuple(Opener(prefix + name, then=(":",), where=Where.LINE) for prefix in ("", "functions."))


def _render(call: Call) -> str:
    call_id = call.id or f"functions.{call.name}:0"
    return f"{_SECTIONS[0]}{_BEGIN}{call_id}{_ARGUMENTS}{call.arguments}{_END}{_SECTION_ENDS[0]}"


KIMI_K2 = Dialect(
    name="kimi-k2",
    read=_read,
    render=_render,
    openers=tuple(Opener(token) for token in (*_SECTIONS, _BEGIN)),
    named=_named,
    closers=(_END, *_SECTION_ENDS),
    noise=("<|im_end|>",),
    thinks=(Think("<think>", "</think>"), Think("◁think▷", "◁/think▷")),
    taught=("<|tool_calls_section_begin|>",),
    models=("kimi-k2", "kimi"),
)
