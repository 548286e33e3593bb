"""The guess where there is no vocabulary: bytes, and a margin that holds for logs and line-numbered code too."""

from __future__ import annotations

from math import ceil

BYTES_PER_TOKEN = 3
SHARE = 0.35  # under-counted by up to a third: digits and hexadecimals in logs, by Qwen's vocabulary (measured)


def estimated(text: str) -> int:
    """Tokens of this text, roughly; on the low side by no more than `estimate_margin`."""
    return ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def estimate_margin(tokens: int) -> int:
    """By how many tokens an estimate of so many may be short."""
    return ceil(tokens * SHARE)
