"""Stage: what was read of a file goes where the same lines of it are read again later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gateway.core.compaction.deeds import Deed, Span
from gateway.core.compaction.marks import mark
from gateway.core.compaction.outputs import failed
from gateway.core.compaction.stages.scene import Change, Scene


def superseded(scene: Scene) -> Iterator[Change]:
    """Old reads, all of whose lines a later read shows again."""
    later = _reads(scene)
    for index, entry in scene.outputs():
        reads = entry.deeds
        if reads and all(deed.kind == "read" and _again(deed, index, later) for deed in reads):
            yield scene.retell(index, mark(f"{', '.join(deed.path for deed in reads)}: read again later, see there"))


def _reads(scene: Scene) -> Mapping[str, list[tuple[int, Span]]]:
    """For each file, where in the thread which lines of it are read, as long as that output stands whole."""
    found: defaultdict[str, list[tuple[int, Span]]] = defaultdict(list)
    for index, entry in enumerate(scene.live):
        if entry.output and entry.message is entry.source and not failed(entry.message.text):
            for deed in entry.deeds:
                if deed.kind == "read":
                    found[deed.file].append((index, deed.span))
    return found


def _again(deed: Deed, index: int, later: Mapping[str, list[tuple[int, Span]]]) -> bool:
    return bool(deed.path) and any(at > index and span.covers(deed.span) for at, span in later.get(deed.file, ()))
