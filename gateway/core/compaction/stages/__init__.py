"""The ways to make a history smaller that leave each message in its place, least loss first; what they can't do, the digest does.

To add one: a file here with a function from Scene to changes, a line in `stages`, a switch in CompactionRules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.stages.arguments import arguments
from gateway.core.compaction.stages.masked import masked
from gateway.core.compaction.stages.middle import middle
from gateway.core.compaction.stages.reasoning import reasoning
from gateway.core.compaction.stages.scene import Change, Scene
from gateway.core.compaction.stages.stale import stale
from gateway.core.compaction.stages.superseded import superseded
from gateway.core.compaction.stages.tidy import tidy

Stage: TypeAlias = Callable[[Scene], Iterator[Change]]


def stages(rules: CompactionRules) -> Iterator[tuple[str, Stage]]:
    """The stages that `rules` allow, with their names, in the order in which they are tried."""
    every: tuple[tuple[bool, Stage], ...] = (
        (rules.tidy, tidy),
        (rules.superseded, superseded),
        (rules.stale, stale),
        (rules.middle, middle),
        (rules.reasoning, reasoning),
        (rules.masked, masked),
        (rules.arguments, arguments),
    )
    return ((stage.__name__, stage) for allowed, stage in every if allowed)
