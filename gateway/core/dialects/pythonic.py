"""Python syntax: LFM2, Llama 4, Olmo 3."""

from __future__ import annotations

from functools import partial

from gateway.core.dialects.dialect import Dialect, Opener
from gateway.core.dialects.python_calls import read_python_calls, render_python_call
from gateway.core.dialects.reading import Reading
from gateway.core.dialects.scanner import Steps

_LFM2, _LFM2_END = "<|tool_call_start|>", "<|tool_call_end|>"
_LLAMA4, _LLAMA4_END = "<|python_start|>", "<|python_end|>"
_OLMO3, _OLMO3_END = "<function_calls>", "</function_calls>"
_CLOSERS = (_LFM2_END, _LLAMA4_END, _OLMO3_END)


def _read(reading: Reading) -> Steps[bool]:
    if reading.opener == "[":
        reading.scanner.rewind(reading.start)
        return read_python_calls(reading, bare=True)
    return read_python_calls(reading, closers=_CLOSERS)


def _named(name: str) -> tuple[Opener, ...]:
    return tuple(Opener(token, then=(f"{name}(",)) for token in ("[", _OLMO3))


PYTHONIC = Dialect(
    name="pythonic",
    read=_read,
    render=partial(render_python_call, before=f"{_LFM2}[", after=f"]{_LFM2_END}"),
    openers=(Opener(_LFM2), Opener(_LLAMA4)),
    named=_named,
    closers=_CLOSERS,
    noise=("<|im_end|>", "<|eot|>"),
    taught=(_LFM2, _LLAMA4),
    models=("lfm2", "llama4", "llama-4", "olmo-3", "olmo3"),
)
