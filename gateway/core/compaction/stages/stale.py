"""Stage: what was read of a file goes where the file is changed later, since it no longer says what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.core.compaction.marks import mark
from gateway.core.compaction.outputs import failed
from gateway.core.compaction.stages.scene import Change, Scene


def stale(scene: Scene) -> Iterator[Change]:
    """Old reads of files that were all changed later."""
    changed = _changes(scene)
    for index, entry in scene.outputs():
        reads = entry.deeds
        if reads and all(deed.kind == "read" and changed.get(deed.file, -1) > index for deed in reads):
            paths = ", ".join(deed.path for deed in reads)
            yield scene.retell(index, mark(f"{paths}: changed later; read it again where needed"))


def _changes(scene: Scene) -> Mapping[str, int]:
    """For each file, where in the thread it was last changed."""
    return {
        deed.file: index
        for index, entry in enumerate(scene.live)
        for deed in entry.deeds
        if deed.kind == "change" and deed.path and not (entry.output and failed(entry.message.text))
    }
