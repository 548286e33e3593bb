"""Gemma 4, and FunctionGemma before it: `call:NAME{key:value}` with string markers of their own, turned into JSON text."""

from __future__ import annotations

import json
import re

from gateway.core.calls.json_value import Json, write
from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.fields import arguments_of
from gateway.core.dialects.members import Open
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import proven
from gateway.core.stream import Call

_CALL, _CALL_END, _QUOTE = "<|tool_call>", "<tool_call|>", '<|"|>'
_OLD_CALL, _OLD_CALL_END, _OLD_QUOTE = "<start_function_call>", "<end_function_call>", "<escape>"
_CLOSERS = (_CALL_END, _OLD_CALL_END)
_TURN_ENDS = ("<turn|>", "<end_of_turn>")
_QUOTES = (_QUOTE, _OLD_QUOTE)
_KEY = re.compile(r"\s*([^\W\d][\w.\-]*)\s*(:|\Z)")


def _read(reading: Reading) -> Steps[bool]:
    scanner = reading.scanner
    bare = reading.opener not in (_CALL, _OLD_CALL)
    if bare:
        scanner.rewind(reading.start)
        reading.mends = (*reading.mends, "missing_opener")
    try:
        found = yield from scanner.short(tokens("{", "\n", *_CLOSERS))
    except Ended:
        return reading.nameless(reading.start)
    name = found[0].strip().removeprefix(":").removeprefix("call:") if found and found[1] == "{" else ""
    if not name:
        return False
    reading.meant(name)
    scanner.at -= 1
    start = scanner.offset
    try:
        yield from _braces(scanner)
    except Ended:
        arguments, state = proven(as_json(scanner.since(start) + scanner.text[scanner.at :]))
        reading.tail(Draft(name, arguments), reading.start, state)
        return True
    draft = Draft(name, as_json(scanner.since(start)))
    look = yield from scanner.look(tokens(*_CLOSERS, *_TURN_ENDS))
    if look.rest is not None:
        reading.tail(draft, reading.start, Open.CLOSED)
        return True
    if not look.found and bare:
        return False
    if not look.found:  # a string marker in a string looks like its end, and a brace then like the call's
        reading.unreadable(reading.start, "the call does not end where its braces do")
        return True
    scanner.at += look.end
    reading.whole(draft, reading.start)
    return True


def _braces(scanner: Scanner) -> Steps[None]:
    """From an opening brace to behind the one that closes it."""
    depth = 0
    wanted = tokens(*_QUOTES, "{", "}", "[", "]")
    while True:
        mark = yield from scanner.find(wanted)
        if mark in _QUOTES:
            yield from scanner.find(tokens(mark))
        else:
            depth += 1 if mark in "{[" else -1
            if not depth:
                return


def as_json(text: str) -> str:
    """The literal as JSON text; a string or a key that is cut stays so."""
    out: list[str] = []
    brackets: list[str] = []
    at = 0
    while at < len(text):
        quote = next((mark for mark in _QUOTES if text.startswith(mark, at)), "")
        key = _KEY.match(text, at) if out and out[-1] in "{," and brackets[-1:] == ["{"] else None
        if quote:
            end = text.find(quote, at + len(quote))
            if end < 0:
                return "".join(out) + '"'
            out.append(json.dumps(text[at + len(quote) : end]))
            at = end + len(quote)
        elif key:
            out.append(f'"{key[1]}":' if key[2] else f'"{key[1]}')
            at = key.end()
        else:
            _bracket(text[at], brackets)
            out.append(text[at])
            at += 1
    return "".join(out)


def _bracket(mark: str, brackets: list[str]) -> None:
    if mark in "{[":
        brackets.append(mark)
    elif mark in "}]" and brackets:
        brackets.pop()


def _literal(value: Json) -> str:
    if isinstance(value, str):
        return f"{_QUOTE}{value}{_QUOTE}"
    if isinstance(value, list):
        return "[" + ",".join(map(_literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_literal(item)}" for key, item in value.items()) + "}"
    return write(value)


def _named(name: str) -> tuple[Opener, ...]:
    return (Opener(f"call:{name}{{", where=Where.LINE),)


def _render(call: Call) -> str:
    return f"{_CALL}call:{call.name}{_literal(arguments_of(call))}{_CALL_END}"


GEMMA4 = Dialect(
    name="gemma4",
    read=_read,
    render=_render,
    openers=tuple(Opener(token, then=("call:", ":call:")) for token in (_CALL, _OLD_CALL)),
    named=_named,
    closers=_CLOSERS,
    noise=_TURN_ENDS,
    thinks=(Think("<|channel>", "<channel|>", label="thought"),),
    taught=(_CALL, _OLD_CALL),
    models=("gemma4", "functiongemma"),
)
