"""Llama 3: `{"name": …, "parameters": …}`, bare in the answer or behind `<|python_tag|>`, several parted by semicolons."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.objects import KEYS, Form, read_objects, render_object
from gateway.core.dialects.python_calls import read_python_calls
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps

_TAG = "<|python_tag|>"
_BARE = Form(bare=True)


def _read(reading: Reading, opener: str) -> Steps[bool]:
    if opener == _TAG:  # behind it stands JSON, or Python for a built-in tool
        return read_python_calls(reading)
    reading.scanner.rewind(reading.start)
    return read_objects(reading, _BARE)


LLAMA3_JSON = Dialect(
    name="llama3-json",
    read=_read,
    render=partial(render_object, arguments="parameters"),
    openers=(Opener(_TAG),),
    bare=(Opener("{", then=KEYS), Opener("[", then=("{",))),
    noise=("<|eom_id|>", "<|eot_id|>"),
    taught=('"parameters": {}}', '"parameters": dictionary', _TAG),
    models=("llama3", "llama-3", "llama3.1", "llama3.2", "llama3.3"),
)
