"""Stage, the last resort: even the newest outputs are cut, and the arguments that they answer, so that the work can go on.

Unlike the others it changes what is not old, and stops as soon as the prompt fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.core.compaction.entries import retold
from gateway.core.compaction.outputs import without_middle
from gateway.core.compaction.stages.arguments import arguments
from gateway.core.compaction.stages.scene import Change, Scene

_CHARS = (16_000, 8_000, 4_000)  # what is left of an output, tried in this order
_LEAST_CHARS = (2_000, 1_000, 500)  # and if that and shorter arguments are not enough


def newest(scene: Scene) -> Iterator[Change]:
    """The last block of `scene`, which begins at `scene.old`, its outputs and then its arguments cut more and more."""
    if len(scene.live) > scene.old + 1:  # a call that nothing answers yet may still be read
        yield from _outputs(scene, _CHARS)
        whole = replace(scene, old=len(scene.live))
        yield from (change for change in arguments(whole) if change[0] == scene.old)
        yield from _outputs(scene, _LEAST_CHARS)


def _outputs(scene: Scene, lengths: Sequence[int]) -> Iterator[Change]:
    for chars in lengths:
        for index in range(scene.old + 1, len(scene.live)):
            source = scene.live[index].source
            yield index, retold(source, without_middle(source.text, chars))
