"""Muse Glimmer: messages with a header each, in those to a tool `<atem:invoke name="f">` with raw values."""

from __future__ import annotations

from gateway.core.dialects.dialect import Dialect, Opener, Where
from gateway.core.dialects.frames import MESSAGE, START, read_frame
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps
from gateway.core.dialects.tagged import Grammar, attribute, read_tagged, render_invoke
from gateway.core.stream import Call

_ENDS = ("<|eom|>", "<|eot|>")


def _name(inside: str) -> str:
    """A name, of which the template tells the model that it may stand behind its first part as behind a namespace."""
    name = attribute(inside)
    space, dot, rest = name.partition(".")
    return rest if dot and space == rest.partition(".")[0] else name


_GRAMMAR = Grammar(
    group=("<atem:function_calls>",),
    group_end=("</atem:function_calls>",),
    call=("<atem:invoke ",),
    call_end=("</atem:invoke>",),
    argument=("<atem:parameter ",),
    argument_end=("</atem:parameter>",),
    astray=(MESSAGE,),
    name_of=_name,
)


def _read(reading: Reading) -> Steps[bool]:
    tagged = reading.opener in (*_GRAMMAR.group, *_GRAMMAR.call)
    return (yield from read_tagged(reading, _GRAMMAR) if tagged else read_frame(reading))


def _render(call: Call) -> str:
    return f"{START}assistant to={call.name}{MESSAGE}{render_invoke(call, _GRAMMAR)}"


GLIMMER = Dialect(
    name="glimmer",
    read=_read,
    render=_render,
    openers=(
        Opener(START, then=("assistant",)),
        Opener("<atem:function_calls>"),
        Opener("<atem:invoke ", then=("name",)),
    ),
    bare=(Opener(" to=", where=Where.START), Opener("to=", where=Where.START)),  # the template has begun the header
    closers=("</atem:invoke>", "</atem:function_calls>"),
    inner=("</atem:parameter>",),
    noise=(*_ENDS, MESSAGE),
    framed=True,
    taught=("<atem:invoke",),
    models=("glimmer",),
)
