"""Stage: old outputs go, but for their first characters. As good as a summary of them, at half the price (arXiv 2508.21433)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.compaction.marks import lines_of, mark, marked
from gateway.core.compaction.stages.scene import Change, Scene


def masked(scene: Scene) -> Iterator[Change]:
    """Old outputs, each its beginning and a note of what else there was."""
    keep = scene.rules.head_chars
    for index, entry in scene.outputs():
        text = entry.message.text
        if len(text) > keep and not marked(text[: keep + 80]):
            yield scene.retell(
                index, f"{text[:keep].rstrip()}\n{mark(f'the rest of {lines_of(entry.source.text)} cleared')}"
            )
