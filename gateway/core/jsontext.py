"""JSON as it crosses the wire: read strictly, numbers keep their digits, half an emoji becomes U+FFFD. Never a crash on bad input."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

import orjson  # writes only: its reader turns integers beyond 64 bits into floats

_MARK = "\ue000"  # private use: wraps the digits of a number that no float can hold, until they are written out bare
_MARKED = re.compile(f'"{_MARK}([-+.0-9eE]+){_MARK}"')
_FLOAT_DIGITS = 15  # any decimal of this many digits comes back from a float unchanged


class NotJson(ValueError):
    """The text is no JSON that we take; the message says what is wrong, in words for its author."""


def loads(data: bytes | str) -> object:
    """The value of a JSON text. Floats that would lose digits come as Decimal; surrogate halves as U+FFFD.

    Raises NotJson for syntax errors, NaN and Infinity, and nesting deeper than the interpreter's stack.
    """
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        value = _DECODER.decode(text)
        return mended(value) if "\\ud" in text or "\\uD" in text else value
    except json.JSONDecodeError as error:
        raise NotJson(f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except NotJson:
        raise
    except ValueError:  # int() refuses more than 4,300 digits
        raise NotJson("a number in it has too many digits") from None


def dump(value: object) -> bytes:
    """Compact JSON of a value from `loads`, as UTF-8: no spaces, no ASCII escapes, every number with its digits."""
    try:
        return orjson.dumps(value, default=_plain)
    except (TypeError, RecursionError):  # long integers, Decimals, surrogates: the slow road keeps them
        return dumps(value).encode("utf-8", "replace")


def dumps(value: object) -> str:
    """The same as text, by the road that knows every number."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_marked)
    return _MARKED.sub(r"\1", text) if _MARK in text else text


quoted = json.encoder.encode_basestring  # a str as JSON text, non-ASCII kept


def mended(value: object) -> object:
    """The same value with every unpaired surrogate replaced by U+FFFD, since UTF-8 can't carry one."""
    if isinstance(value, str):
        return mended_text(value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended_text(key): mended(item) for key, item in value.items()}
    return value


def mended_text(text: str) -> str:
    """`text` with unpaired surrogates replaced by U+FFFD; halves of a pair that meet again are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _marked(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}{_MARK}"
    return _plain(value)


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON value; send a number or null")


def _float(digits: str) -> float | Decimal:
    number = float(digits)
    if len(digits) <= _FLOAT_DIGITS and math.isfinite(number):
        return number
    exact = Decimal(digits)
    return number if math.isfinite(number) and Decimal(repr(number)) == exact else exact


_DECODER = json.JSONDecoder(parse_float=_float, parse_constant=_constant)
