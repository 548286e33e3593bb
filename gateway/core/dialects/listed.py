"""JSON lists of calls between tags of their own: Nemotron Nano v2, Apriel, Apertus."""

from __future__ import annotations

from functools import partial

from gateway.core.calls.json_value import write
from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.told import called_by_key
from gateway.core.stream import Call

_NEMOTRON = Form(closers=("</TOOLCALL>",))
_APRIEL = Form(closers=("</tool_calls>",))
_APERTUS = Form(closers=("<|tools_suffix|>",), told=called_by_key)


def _read_apertus(reading: Reading) -> Steps[bool]:
    if reading.opener == "[":
        reading.scanner.rewind(reading.start)
        reading.mends = (*reading.mends, "stripped_token")
    return read_objects(reading, _APERTUS)


def _named_apertus(name: str) -> tuple[Opener, ...]:
    """What servers leave that strip control tokens."""
    return (Opener("[", then=(f"{{{write(name)}:",), where=Where.START),)


def _render_apertus(call: Call) -> str:
    return f"<|tools_prefix|>[{{{write(call.name)}: {call.arguments}}}]<|tools_suffix|>"


NEMOTRON_NANO2 = Dialect(
    name="nemotron-nano-v2",
    read=partial(read_objects, form=_NEMOTRON),
    render=partial(render_object, before="<TOOLCALL>[", after="]</TOOLCALL>"),
    openers=(Opener("<TOOLCALL>"),),
    closers=("</TOOLCALL>",),
    taught=("<TOOLCALL>",),
    models=("nemotron-nano", "nemotron_h"),
)
APRIEL = Dialect(
    name="apriel",
    read=partial(read_objects, form=_APRIEL),
    render=partial(render_object, before="<tool_calls>[", after="]</tool_calls>"),
    openers=(Opener("<tool_calls>", then=("[", "{")),),
    closers=("</tool_calls>",),
    taught=("<tool_calls>",),
    models=("apriel",),
)
APERTUS = Dialect(
    name="apertus",
    read=_read_apertus,
    render=_render_apertus,
    openers=(Opener("<|tools_prefix|>"),),
    named=_named_apertus,
    closers=("<|tools_suffix|>",),
    noise=("<|assistant_end|>",),
    thinks=(Think("<|inner_prefix|>", "<|inner_suffix|>"),),
    taught=("<|tools_prefix|>",),
    models=("apertus",),
)
