"""Compaction: a history made to fit its window, the same way every time, with what was replaced marked and told."""

from gateway.core.compaction.compact import Compaction, StageReport, compact
from gateway.core.compaction.memo import Memo
from gateway.core.compaction.rules import CompactionRules

__all__ = ["Compaction", "CompactionRules", "Memo", "StageReport", "compact"]
