"""Stage: long old outputs lose their middle; their ends and the lines that tell of errors stay."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.compaction.outputs import without_middle
from gateway.core.compaction.stages.scene import Change, Scene


def middle(scene: Scene) -> Iterator[Change]:
    """Old outputs well above the bound, cut to it."""
    bound = scene.rules.output_chars
    for index, entry in scene.outputs():
        text = entry.message.text
        if len(text) > bound * 3 // 2:  # what a cut makes stays below, so that it is not cut again
            yield scene.retell(index, without_middle(text, bound))
