"""Harmony (gpt-oss): messages with a header each; a call is a message to `functions.NAME`, its text the arguments as JSON."""

from __future__ import annotations

from gateway.core.dialects.dialect import Dialect, Opener, Think, Where
from gateway.core.dialects.frames import CHANNEL, MESSAGE, START, read_frame
from gateway.core.stream import Call

_ENDS = ("<|call|>", "<|end|>", "<|return|>")


def _render(call: Call) -> str:
    return f"{CHANNEL}commentary to=functions.{call.name} <|constrain|>json{MESSAGE}{call.arguments}<|call|>"


HARMONY = Dialect(
    name="harmony",
    read=read_frame,
    render=_render,
    openers=(Opener(START, then=("assistant",)), Opener(CHANNEL)),
    bare=(
        Opener("to=functions.", where=Where.START),
        # What servers leave of a header that strip control tokens.
        Opener("commentary to=functions.", where=Where.LINE),
        Opener("assistantcommentary to=functions."),
    ),
    closers=_ENDS,
    noise=(*_ENDS, MESSAGE),
    framed=True,
    thinks=(Think("<|channel|>analysis<|message|>", "<|end|>"),),
    taught=(CHANNEL,),
    models=("gpt-oss", "gptoss"),
)
