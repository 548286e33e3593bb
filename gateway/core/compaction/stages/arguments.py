"""Stage: big strings in the arguments of old calls go, but for their beginnings. The arguments stay a valid JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.core import jsontext
from gateway.core.compaction.calls import arguments_of
from gateway.core.compaction.marks import mark
from gateway.core.compaction.stages.scene import Change, Scene
from gateway.core.conversation import ToolCall

_KEPT = 160  # characters of a shortened string
_DEPTH = 32  # arguments nested deeper are left: no tool's are, and every level costs stack


def arguments(scene: Scene) -> Iterator[Change]:
    """Old assistant messages whose calls had big strings, each cut to its beginning and a note of its length."""
    most = scene.rules.argument_chars
    for index, entry in enumerate(scene.live[: scene.old]):
        calls = entry.message.calls
        if any(len(call.arguments) > most for call in calls):
            shorter = tuple(_shortened(call, most) for call in calls)
            if shorter != calls:
                yield index, replace(entry.message, calls=shorter)


def _shortened(call: ToolCall, most: int) -> ToolCall:
    given = arguments_of(call)
    if _deeper(given, _DEPTH):
        return call
    kept = {key: _cut(value, most) for key, value in given.items()}
    return replace(call, arguments=jsontext.dumps(kept)) if kept != given else call


def _cut(value: object, most: int) -> object:
    match value:
        case str() if len(value) > most:
            return f"{value[:_KEPT]} {mark(f'{len(value) - _KEPT:,} more characters of this argument cleared')}"
        case list():
            return [_cut(item, most) for item in value]
        case dict():
            return {key: _cut(item, most) for key, item in value.items()}
        case _:
            return value


def _deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (levels == 0 or any(_deeper(item, levels - 1) for item in inner))
