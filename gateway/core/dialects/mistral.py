"""Mistral: up to v7 `[TOOL_CALLS]` and a JSON list of calls; from v11 on (Devstral, Ministral) `[TOOL_CALLS]NAME[ARGS]{…}`."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.named import read_arguments
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.stream import Call

_MARK = "[TOOL_CALLS]"
_FORM = Form()
_THINKS = (Think("[THINK]", "[/THINK]"), Think("<think>", "</think>"))
_END = "[/TOOL_CALLS]"
_NOISE = ("</s>",)


def _read_named(reading: Reading) -> Steps[bool]:
    """`NAME[CALL_ID]id[ARGS]{…}`; servers that strip special tokens leave `NAME{…}` or `NAME[ARGS]{…}` (vLLM)."""
    scanner = reading.scanner
    mends: tuple[str, ...] = ()
    if reading.opener != _MARK:
        scanner.rewind(reading.start)
        mends = ("missing_opener",)
    try:
        found = yield from scanner.short(tokens("[ARGS]", "[CALL_ID]", "{", "\n"))
        if found and found[1] == "[CALL_ID]":
            yield from scanner.short(tokens("[ARGS]"))
    except Ended:
        return reading.opener == _MARK and reading.nameless(reading.start)
    name = found[0].strip() if found and found[1] != "\n" else ""
    declared = reading.meant(name)
    if not found or not name or (reading.opener != _MARK and declared is None):
        return False
    if found[1] == "{":
        scanner.at -= 1
        mends = (*mends, "stripped_token")
    return (yield from read_arguments(reading, Draft(name, "", mends), reading.start))


def _named(name: str) -> tuple[Opener, ...]:
    return (Opener(name, then=("[ARGS]", "[CALL_ID]", '{"', "{}"), where=Where.LINE),)


def _render_named(call: Call) -> str:
    return f"{_MARK}{call.name}[ARGS]{call.arguments}"


MISTRAL_ARRAY = Dialect(
    name="mistral-array",
    read=partial(read_objects, form=_FORM),
    render=partial(render_object, before=f"{_MARK} [", after="]"),
    openers=(Opener(_MARK, then=("[", "{")),),
    closers=(_END,),
    noise=_NOISE,
    thinks=_THINKS,
    taught=(_MARK,),
    models=("mistral", "mixtral", "codestral"),
)
MISTRAL_ARGS = Dialect(
    name="mistral-args",
    read=_read_named,
    render=_render_named,
    openers=(Opener(_MARK),),
    named=_named,
    closers=(_END,),
    noise=_NOISE,
    thinks=_THINKS,
    taught=("[ARGS]",),
    models=("devstral", "ministral", "magistral", "mistral-small3.2", "mistral-medium", "mistral-large3"),
)
