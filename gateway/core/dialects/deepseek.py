"""DeepSeek V3 and R1 (and Cogito) put a call's JSON into a fence behind its name, V3.1 right behind a separator."""

from __future__ import annotations

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call


def _each(name: str) -> tuple[str, ...]:
    """The marker, and the form with ASCII pipes that GGUF templates have."""
    return f"<｜{name}｜>", f"<|{name}|>"


# The distilled models spell the first marker in other ways too (llama.cpp's list).
_GROUP = (*_each("tool▁calls▁begin"), *_each("tool_calls_begin"), *_each("tool calls begin"), *_each("tool▁calls"))
_GROUP_END = _each("tool▁calls▁end")
_CALL, _CALL_END = _each("tool▁call▁begin"), _each("tool▁call▁end")
_SEPARATOR = _each("tool▁sep")
_CLOSERS = (*_CALL_END, *_GROUP_END)
_NOISE = _each("end▁of▁sentence")


def _read(reading: Reading, opener: str) -> Steps[bool]:
    scanner = reading.scanner
    if opener in _CALL:
        scanner.rewind(reading.start)
    count = 0
    while True:
        begin = reading.start if not count else scanner.offset
        look = yield from scanner.look(tokens(*_CALL, *_CLOSERS, "```"))
        if look.rest is not None:
            return reading.over(begin, count, look.rest)
        scanner.at += look.end if look.found else 0
        if look.found in _GROUP_END:
            return bool(count) or reading.empty()
        if look.found in _CALL or not (look.found or count):
            if not (yield from _call(reading, begin)):
                return bool(count)
            count += 1
        elif not look.found:
            return bool(count)


def _call(reading: Reading, begin: int) -> Steps[bool]:
    """`function<sep>NAME`, a line end and a fence; or `NAME<sep>`."""
    scanner = reading.scanner
    try:
        found = yield from scanner.short(tokens(*_SEPARATOR, "\n"))
        if found and found[0].strip() == "function" and found[1] != "\n":
            found = yield from scanner.short(tokens("\n", "{", "```"))
            if found and found[1] == "{":
                scanner.at -= 1
            yield from scanner.blanks()
            yield from scanner.token(tokens("```json", "```"))
    except Ended:
        return reading.nameless(begin)
    if found is None or not found[0].strip():
        return False
    return (yield from read_arguments(reading, found[0].strip(), begin=begin, closers=_CLOSERS, between=("```",)))


def _render_fenced(call: Call) -> str:
    body = f"function{_SEPARATOR[0]}{call.name}\n```json\n{call.arguments}\n```"
    return f"{_GROUP[0]}{_CALL[0]}{body}{_CALL_END[0]}{_GROUP_END[0]}"


def _render(call: Call) -> str:
    return f"{_GROUP[0]}{_CALL[0]}{call.name}{_SEPARATOR[0]}{call.arguments}{_CALL_END[0]}{_GROUP_END[0]}"


_OPENERS = tuple(Opener(token) for token in (*_GROUP, *_CALL))

DEEPSEEK_V3 = Dialect(
    name="deepseek-v3",
    read=_read,
    render=_render_fenced,
    openers=_OPENERS,
    closers=_CLOSERS,
    noise=_NOISE,
    taught=("function<｜tool▁sep｜>", "function<|tool▁sep|>"),
    models=("deepseek-r1", "deepseek-v3", "cogito"),
)
DEEPSEEK_V31 = Dialect(
    name="deepseek-v3.1",
    read=_read,
    render=_render,
    openers=_OPENERS,
    closers=_CLOSERS,
    noise=_NOISE,
    taught=("<｜tool▁sep｜>", "<|tool▁sep|>"),
    models=("deepseek-v3.1",),
)
