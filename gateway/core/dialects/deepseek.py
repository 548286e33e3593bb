"""DeepSeek V3 and R1 (and Cogito) put a call's JSON into a fence behind its name, V3.1 right behind a separator."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.groups import Group, read_group
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call


def _each(name: str) -> tuple[str, ...]:
    """The marker, and the form with ASCII pipes that GGUF templates have."""
    return f"<｜{name}｜>", f"<|{name}|>"


# The distilled models spell the group's opener in other ways too (llama.cpp's list).
_OPENERS = (*_each("tool▁calls▁begin"), *_each("tool_calls_begin"), *_each("tool calls begin"), *_each("tool▁calls"))
_CLOSERS = _each("tool▁calls▁end")
_CALL, _CALL_END = _each("tool▁call▁begin"), _each("tool▁call▁end")
_SEPARATOR = _each("tool▁sep")
_NOISE = _each("end▁of▁sentence")
_KIND = "function"


def _call(reading: Reading, begin: int) -> Steps[bool]:
    closers = (*_CALL_END, *_CLOSERS)
    if reading.opener not in (*_OPENERS, *_CALL):
        reading.scanner.at += len(reading.opener)
        draft = Draft(reading.opener.removeprefix(_KIND), "", ("stripped_token",))
        return (yield from read_arguments(reading, draft, begin, closers=closers))
    try:
        name = yield from _name(reading)
    except Ended:
        return reading.nameless(begin)
    return bool(name) and (yield from read_arguments(reading, Draft(name, ""), begin, closers=closers))


def _name(reading: Reading) -> Steps[str]:
    """The name in `function<sep>NAME`, a line end and a fence; or in `NAME<sep>`. The cursor goes before the JSON."""
    scanner = reading.scanner
    found = yield from scanner.short(tokens(*_SEPARATOR, "\n"))
    fenced = found and found[0].strip() == _KIND and found[1] != "\n"
    if fenced:
        found = yield from scanner.short(tokens("\n", "{", "```"))
    name = found[0].strip() if found else ""
    reading.meant(name)
    if found and fenced:
        scanner.at -= 1 if found[1] == "{" else 0
        yield from scanner.blanks()
        yield from scanner.token(tokens("```json", "```"))
    return name


_GROUP = Group(openers=_OPENERS, closers=_CLOSERS, call_openers=_CALL, between=(*_CALL_END, "```"), call=_call)


def _named_fenced(name: str) -> tuple[Opener, ...]:
    """What servers leave that strip control tokens."""
    return (Opener(_KIND + name, then=("```", "{"), where=Where.LINE),)


def _named(name: str) -> tuple[Opener, ...]:
    return (Opener(name, then=('{"', "{}"), where=Where.LINE),)


def _render_fenced(call: Call) -> str:
    body = f"{_KIND}{_SEPARATOR[0]}{call.name}\n```json\n{call.arguments}\n```"
    return f"{_OPENERS[0]}{_CALL[0]}{body}{_CALL_END[0]}{_CLOSERS[0]}"


def _render(call: Call) -> str:
    return f"{_OPENERS[0]}{_CALL[0]}{call.name}{_SEPARATOR[0]}{call.arguments}{_CALL_END[0]}{_CLOSERS[0]}"


DEEPSEEK_V3 = Dialect(
    name="deepseek-v3",
    read=partial(read_group, group=_GROUP),
    render=_render_fenced,
    openers=tuple(Opener(token) for token in (*_OPENERS, *_CALL)),
    named=_named_fenced,
    closers=(*_CALL_END, *_CLOSERS),
    noise=_NOISE,
    taught=("function<｜tool▁sep｜>", "function<|tool▁sep|>"),
    models=("deepseek-r1", "deepseek-v3", "cogito"),
)
DEEPSEEK_V31 = Dialect(
    name="deepseek-v3.1",
    read=DEEPSEEK_V3.read,
    render=_render,
    openers=DEEPSEEK_V3.openers,
    named=_named,
    closers=DEEPSEEK_V3.closers,
    noise=_NOISE,
    taught=("<｜tool▁sep｜>", "<|tool▁sep|>"),
    models=("deepseek-v3.1",),
)
