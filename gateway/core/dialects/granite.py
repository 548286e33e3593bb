"""Granite 3 writes a JSON list of calls behind a marker, Granite 20B FC one object behind each."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.objects import Form, read_objects, render_object

_FORM = Form(closers=("</tool_call>",))
_FORM_20B = Form(closers=("</function_call>",))


GRANITE3 = Dialect(
    name="granite3",
    read=partial(read_objects, form=_FORM),
    render=partial(render_object, before="<|tool_call|>[", after="]"),
    openers=(Opener("<|tool_call|>"), Opener("<tool_call>", then=("[",))),
    closers=("</tool_call>",),
    noise=("<|end_of_text|>",),
    taught=("<|tool_call|>",),
    models=("granite3", "granite-3"),
)
GRANITE_20B = Dialect(
    name="granite-20b",
    read=partial(read_objects, form=_FORM_20B),
    render=partial(render_object, before="<function_call> "),
    openers=(Opener("<function_call>", then=("{", "[", "```")),),
    closers=("</function_call>",),
    noise=("<|end_of_text|>",),
    taught=("<function_call>",),
    models=("granite-20b",),
)
