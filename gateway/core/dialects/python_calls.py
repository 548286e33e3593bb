"""Calls written as Python: `[f(a="x", n=3), g()]`. Their arguments are turned into JSON text, whole or cut."""

from __future__ import annotations

import json
import re

from gateway.core.dialects.objects import Form, read_objects
from gateway.core.dialects.reading import Draft, Reading, is_object
from gateway.core.dialects.scanner import Ended, Scanner, Steps
from gateway.core.dialects.tokens import closing, tokens
from gateway.core.dialects.told import proven
from gateway.core.stream import Call

_QUOTES = ('"""', "'''", '"', "'")
_NAME = re.compile(r"[\w.\- ]+")
_KEY = re.compile(r"([^\W\d]\w*)\s*(=(?!=)|\Z)")
_WORD = re.compile(r"\w+")
_OPENING = re.compile(r"([rRbBuU]?)(\"\"\"|'''|\"|')")
_LONG = {quote: re.compile(rf"(?:[^\\]|\\.)*?(?={quote})", re.DOTALL) for quote in ('"""', "'''")}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_USUAL = re.compile(r"[^\\]*+(?:\\[\\nt'\"rbfva\n][^\\]*+)*+")
_PLAIN = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "a": "\a",
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_WORDS = {"True": "true", "False": "false", "None": "null"}
_BRACKETS = {"(": "[", ")": "]"}


def read_python_calls(reading: Reading, *, closers: tuple[str, ...] = (), bare: bool = False) -> Steps[bool]:
    """Read the calls behind an opener, in a list or on lines of their own. `bare`: only declared tools are calls."""
    scanner = reading.scanner
    count = 0
    wanted = tokens("[", "]", ",", ";", "{", *closers)
    while True:
        begin = reading.start if not count else scanner.offset
        look = yield from scanner.look(wanted)
        if look.rest is not None:
            return not (bare and not count) and reading.over(begin, count)
        if look.found in closers:
            scanner.at += look.end
            return True
        if look.found == "{" and not count:
            return (yield from read_objects(reading, Form(closers=closers, bare=bare)))
        if look.found == "]" and (bare or not count):
            scanner.at += look.end
            return bool(count) or (reading.empty() and not bare)
        if look.found:
            scanner.at += look.end
            continue
        at = scanner.offset
        if not (yield from _call(reading, begin, bare=bare)):
            scanner.rewind(at)
            return bool(count)
        count += 1


def _call(reading: Reading, begin: int, *, bare: bool) -> Steps[bool]:
    """One call, the cursor before its name."""
    scanner = reading.scanner
    try:
        yield from scanner.blanks()
        found = yield from scanner.short(tokens("(", "\n", "<"))
    except Ended:
        return not bare and reading.nameless(begin)
    name = found[0].strip().removesuffix(".call") if found and found[1] == "(" else ""  # Llama 3.1's built-in tools
    if not _NAME.fullmatch(name) or (bare and reading.tool(name) is None):
        return False
    start = scanner.offset
    try:
        yield from _to_the_end(scanner)
    except Ended:
        arguments, state = proven("{" + as_json(scanner.since(start) + scanner.text[scanner.at :]))
        reading.tail(Draft(name, arguments), begin, state)
        return True
    draft = Draft(name, "{" + as_json(scanner.since(start)[:-1]) + "}")
    if bare and not is_object(draft.arguments):
        look = yield from scanner.look(tokens("]", ",", ";"))
        if not look.found and look.rest is None:  # `[f(x) for x in y]` is code
            return False
    reading.whole(draft, begin)
    return True


def _to_the_end(scanner: Scanner) -> Steps[None]:
    """From behind an opening bracket to behind the one that closes it."""
    depth = 1
    wanted = tokens(*_QUOTES, "(", ")", "[", "]", "{", "}")
    while depth:
        mark = yield from scanner.find(wanted)
        if mark in ('"', "'"):
            yield from scanner.string(mark)
        elif mark in _QUOTES:
            yield from scanner.find(tokens(mark))
        else:
            depth += 1 if mark in "([{" else -1


def as_json(text: str) -> str:
    """Keyword arguments as the members of a JSON object; a string or key that is cut stays so."""
    out: list[str] = []
    at = depth = 0
    while at < len(text):
        key = _KEY.match(text, at) if not depth and (not out or out[-1] == ",") else None
        quoted = _OPENING.match(text, at)
        if key:
            out.append(f'"{key[1]}": ' if key[2] else f'"{key[1]}')
            at = key.end()
        elif quoted:
            piece, at = _string(text, quoted)
            out.append(piece)
        elif word := _WORD.match(text, at):
            out.append(_WORDS.get(word.group(), word.group()))
            at = word.end()
        else:
            mark = text[at]
            depth += (mark in "([{") - (mark in ")]}")
            if not mark.isspace():
                out.append(_BRACKETS.get(mark, mark))
            at += 1
    return "".join(out)


def _string(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """A string literal as JSON, and the offset behind it; the bare opening quote where it is cut."""
    prefix, quote = opening[1].lower(), opening[2]
    start = opening.end()
    if quote in _LONG:
        inside = _LONG[quote].match(text, start)
        end = inside.end() if inside else -1
    else:
        end = closing(quote, text, start)
    if end < 0:
        return '"', len(text)
    raw = text[start:end]
    return json.dumps(raw if prefix == "r" else _unescaped(raw)), end + len(quote)


def _unescaped(text: str) -> str:
    """What a literal stands for; where it holds the usual escapes alone, of which code has thousands, all at once."""
    if not _USUAL.fullmatch(text):
        return _ESCAPE.sub(_character, text)
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    if found[5] in _PLAIN:
        return _PLAIN[found[5]]
    octal, *hexadecimal, _ = found.groups()
    digits = next((group for group in hexadecimal if group), "")
    if octal or digits:
        number = int(octal, 8) if octal else int(digits, 16)
        return chr(number) if number < 0x110000 else found.group()
    return found.group()


def render_python_call(call: Call, *, before: str, after: str) -> str:
    """The call as Python, its values as `repr` writes them."""
    arguments = json.loads(call.arguments)
    listed = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{before}{call.name}({listed}){after}"
