"""Phi-4-mini and Firefunction: `functools[{"name": …, "arguments": …}, …]`."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps

_FORM = Form()


def _read(reading: Reading, _opener: str) -> Steps[bool]:
    return read_objects(reading, _FORM)


PHI4_FUNCTOOLS = Dialect(
    name="phi4-functools",
    read=_read,
    render=partial(render_object, before="functools[", after="]"),
    bare=(Opener("functools[", then=("{",)),),
    noise=("<|end|>", "<|/tool_call|>"),
    taught=("functools[",),
    models=("phi4-mini", "phi-4-mini", "firefunction"),
)
