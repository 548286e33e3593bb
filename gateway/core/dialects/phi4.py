"""Phi-4-mini and Firefunction: `functools[{"name": …, "arguments": …}, …]`."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.objects import Form, read_objects, render_object

_FORM = Form()


PHI4_FUNCTOOLS = Dialect(
    name="phi4-functools",
    read=partial(read_objects, form=_FORM),
    render=partial(render_object, before="functools[", after="]"),
    bare=(Opener("functools[", then=("{",)),),
    noise=("<|end|>", "<|/tool_call|>"),
    taught=("functools[",),
    models=("phi4-mini", "phi-4-mini", "firefunction"),
)
