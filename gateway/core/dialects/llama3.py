"""Llama 3: `{"name": …, "parameters": …}`, bare in the answer or behind `<|python_tag|>`, several parted by semicolons.

Behind the tag also stands Python: the call of a built-in tool, or code for the interpreter.
"""

from __future__ import annotations

from functools import partial

from gateway.core.calls.json_value import write
from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.members import Open
from gateway.core.dialects.objects import Form, read_objects, render_object
from gateway.core.dialects.python_calls import read_python_calls
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.told import KEYS

_TAG = "<|python_tag|>"
_ENDS = ("<|eom_id|>", "<|eot_id|>")
_BARE = Form(bare=True)
_INTERPRETERS = ("python", "ipython", "code_interpreter")


def _read(reading: Reading) -> Steps[bool]:
    if reading.opener == _TAG:
        return _read_tagged(reading)
    reading.scanner.rewind(reading.start)
    return read_objects(reading, _BARE)


def _read_tagged(reading: Reading) -> Steps[bool]:
    start = reading.scanner.offset
    interpreter = next((name for name in _INTERPRETERS if reading.tool(name)), "")
    if (yield from read_python_calls(reading, bare=bool(interpreter))):
        return True
    reading.scanner.rewind(start)
    return bool(interpreter) and (yield from _code(reading, interpreter))


def _code(reading: Reading, name: str) -> Steps[bool]:
    """All the rest is code, as the one argument of the interpreter; only the model's own end proves that it is whole."""
    scanner = reading.scanner
    start = scanner.offset
    try:
        end = yield from scanner.find(tokens(*_ENDS))
    except Ended:
        end = ""
        scanner.at = len(scanner.text)
    code = scanner.since(start).removesuffix(end).strip()
    draft = Draft(name, write({"code": code}))
    if end or not scanner.cut:
        reading.whole(draft, reading.start)
    else:
        reading.tail(draft, reading.start, Open.VALUE)
    return True


LLAMA3_JSON = Dialect(
    name="llama3-json",
    read=_read,
    render=partial(render_object, arguments="parameters"),
    openers=(Opener(_TAG),),
    bare=(Opener("{", then=KEYS), Opener("[", then=("{",))),
    noise=_ENDS,
    taught=('"parameters": ', _TAG),
    models=("llama3", "llama-3", "llama3.1", "llama3.2", "llama3.3"),
)
