"""Calls as plain JSON at the beginning of an answer, or alone in a fenced block: what small models write (Qwen2.5-Coder, xLAM)."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import KEYS

_BARE = Form(bare=True)
_LISTED = '"tool_calls"'
# Tags that Hermes-trained models make up when they forget their own (llama.cpp's list).
_TAGS = ("<tool>", "<toolcall>", "<function>", "<response>", "<json>", "<JSON>", "<xml>")
_TAGGED = Form(bare=True, closers=tuple(tag.replace("<", "</") for tag in _TAGS))
_FENCED = Form(bare=True, closers=("```",))
_FENCES = ("```json", "```tool_call", "```tool_code", "```")


def _read(reading: Reading) -> Steps[bool]:
    if reading.opener in _TAGS:
        reading.mends = (*reading.mends, "wrong_wrapper")
        return (yield from read_objects(reading, _TAGGED))
    scanner = reading.scanner
    look = yield from scanner.look(tokens(_LISTED))  # around the list of calls (xLAM)
    if look.found:
        scanner.at += look.end
        look = yield from scanner.look(tokens(":"))
        scanner.at += look.end
    else:
        scanner.rewind(reading.start)
    return (yield from read_objects(reading, _BARE))


def _read_fenced(reading: Reading) -> Steps[bool]:
    """A block that holds nothing but calls of declared tools; text behind it makes it an example in an answer."""
    page = reading.page
    first = page.quiet
    page.set_aside()
    found = yield from read_objects(reading, _FENCED)
    if found and not first:
        look = yield from reading.scanner.look(tokens(*_FENCES))
        found = bool(look.found) or look.rest is not None
    page.take_back(keep=found)
    return found


BARE_JSON = Dialect(
    name="bare-json",
    read=_read,
    render=render_object,
    openers=(
        Opener("{", then=(*KEYS, _LISTED), where=Where.START, plain=True),
        Opener("[", then=("{",), where=Where.START, plain=True),
        *(Opener(tag, then=("{",), where=Where.LINE, plain=True) for tag in _TAGS),
    ),
    taught=('{"name": ',),
    models=("xlam", "codegemma"),
)
JSON_FENCE = Dialect(
    name="json-fence",
    read=_read_fenced,
    render=partial(render_object, before="```json\n", after="\n```"),
    openers=tuple(Opener(fence, then=("{", "["), where=Where.LINE, plain=True) for fence in _FENCES),
    taught=("```json\n{",),
)
