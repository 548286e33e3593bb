"""The switches and bounds of compaction are a section of the policy."""

from gateway.core.policy.compaction import CompactionRules

__all__ = ["CompactionRules"]
