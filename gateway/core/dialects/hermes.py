"""Hermes JSON: Qwen2.5, Qwen3, Granite 4, MiMo, Reka. One object with name and arguments in each `<tool_call>`."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps

_THEN = ("{", "[", "```")


def _read(reading: Reading) -> Steps[bool]:
    if reading.opener != "<tool_call>":
        reading.mends = (*reading.mends, "wrong_wrapper")
    return read_objects(reading, Form(closers=("</tool_call>", "</tools>"), each=True))


HERMES = Dialect(
    name="hermes",
    read=_read,
    render=partial(render_object, before="<tool_call>\n", after="\n</tool_call>"),
    # Qwen2.5-Coder puts its calls between the tags that its template puts around the list of tools.
    openers=(Opener("<tool_call>", then=_THEN), Opener("<tools>", then=_THEN)),
    closers=("</tool_call>", "</tools>"),
    taught=("<tool_call>",),
    models=("qwen2.5", "qwen2", "qwen3", "hermes", "granite4", "granitehybrid", "mimo", "reka", "qwq"),
)
