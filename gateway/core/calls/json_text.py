"""JSON as models write it. Law: no digit of a number is lost, and every liberty that was taken has a name.

Strict JSON is read by the standard library; what that refuses is read once more, leniently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.core.calls.json_value import MOST_DEPTH, Document, Json, Number, Unsure, has_utf8, once
from gateway.core.calls.lenient import read_leniently


def read(text: str) -> Document | None:
    """The one value that the text holds; None where its meaning is not certain."""
    mends = [] if has_utf8(text) else ["lone_surrogate"]
    try:
        value = _strict(text, mends)
        return None if _too_deep(value) else Document(value, tuple(mends))
    except ValueError:
        return read_leniently(text)
    except (Unsure, RecursionError):
        return None


def _strict(text: str, mends: list[str]) -> Json:
    value: Json = json.loads(
        text,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_no_constant,
        object_pairs_hook=lambda pairs: once(pairs, mends),
    )
    return value


def _no_constant(name: str) -> Json:
    raise Unsure(name)  # NaN and Infinity are no JSON, and no other value is meant


def _too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [item for outer in level for item in _items(outer) if isinstance(item, list | dict)]
        if not level:
            return False
    return True


def _items(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
