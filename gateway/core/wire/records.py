"""One record of an upstream's stream, read leniently: a server that counts oddly still answers."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core import jsontext


def record_of(data: bytes) -> object:
    """The value of one line or event. Raises NotJson. Only where calls are in it do numbers need all their digits."""
    return jsontext.loads(data) if b"tool_calls" in data else jsontext.glance(data)


def count_of(record: Mapping[str, object], key: str) -> int:
    """A count, 0 where it is none."""
    value = record.get(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0
