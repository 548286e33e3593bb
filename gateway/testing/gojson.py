"""JSON and times as Go's encoding/json writes them, since Ollama is written in Go: `<`, `>`, `&` as escapes, nanoseconds in UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TypeAlias

from gateway.core import jsontext

Json: TypeAlias = dict[str, object]
ZERO_TIME = "0001-01-01T00:00:00Z"

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def dumps(value: object) -> str:
    """Compact JSON. Surrogate halves are U+FFFD by now, as Go reads them."""
    return json.dumps(jsontext.mended(value), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def encode(value: object) -> bytes:
    return dumps(value).encode()


def moment(seconds: float) -> str:
    """An instant as Go prints it. The last digit is never 0, as Go would drop it and lengths would then vary by chance."""
    nanoseconds = round(seconds * 1e9) | 1
    second, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
