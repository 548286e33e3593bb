"""JSON as it crosses the wire: read strictly, numbers keep their digits, half a character becomes U+FFFD. Never a crash on bad input."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import NoReturn

import orjson  # loses digits: of floats, and of integers beyond 64 bits, which it turns into floats

DEPTH = 200  # levels of nesting; orjson writes 254, and a request wraps what it carries in a few of its own
_SHALLOW = 2 * DEPTH  # a text shorter than this can't nest that deep
_BRANCHES = (dict, list)
_UNREAD = object()
_LINE_ENDS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}  # httpx splits lines at these too


class NotJson(ValueError):
    """The text is no JSON that we take; the message says what is wrong, in words for its author."""


def loads(data: bytes | str) -> object:
    """The value of a JSON text. Floats that would lose digits come as Decimal; surrogate halves as U+FFFD.

    Raises NotJson for syntax errors, NaN and Infinity, and nesting deeper than DEPTH.
    """
    return read(data)[0]


def read(data: bytes | str) -> tuple[object, bool]:
    """The same, and whether something that is no text had to become U+FFFD: half a surrogate pair, bytes that are not UTF-8."""
    quick = _without_floats(data)
    if quick is not _UNREAD:
        return quick, False
    text, broken = (data, False) if isinstance(data, str) else _text(data)
    value = _value(text)
    if "\\u" in text and ("\\ud" in text or "\\uD" in text):
        whole = mended(value)
        return whole, broken or whole != value
    return value, broken


def glance(data: bytes) -> object:
    """The value of a small JSON text, read several times as fast; numbers are as near as a float. Raises NotJson."""
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError:  # no JSON, or half a character
        return loads(data)
    return _checked(value) if len(data) > _SHALLOW and data.count(b"[") + data.count(b"{") > DEPTH else value


def _without_floats(data: bytes | str) -> object:
    """The value of a text that is whole and holds no float, so that orjson loses nothing of it; else _UNREAD. Five times as fast."""
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _UNREAD
    level: list[object] = [value]
    for _ in range(DEPTH):
        if float in set(map(type, level)):
            return _UNREAD
        objects = [node.values() for node in level if isinstance(node, dict)]
        level = list(chain(*objects, *(node for node in level if isinstance(node, list))))
        if not level:
            return value
    return _UNREAD


def _text(data: bytes) -> tuple[str, bool]:
    data = data.removeprefix(codecs.BOM_UTF8)  # PowerShell writes one
    try:
        return data.decode(), False
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), True


def _value(text: str) -> object:
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(
            f"not valid JSON: {error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except NotJson:
        raise
    except ValueError:  # int() refuses more than 4,300 digits
        raise NotJson("a number in it has too many digits") from None
    return _checked(value) if len(text) > _SHALLOW else value


def _checked(value: object) -> object:
    """`value`, nested no deeper than DEPTH, so that whoever walks it needs no care."""
    level = [value]
    for _ in range(DEPTH):
        level = [child for node in level for child in _children(node) if isinstance(child, _BRANCHES)]
        if not level:
            return value
    raise NotJson("nested too deeply")


def _children(node: object) -> Iterable[object]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


class Written:
    """JSON that was written already, to stand in a larger value. No dataclass: orjson would write its fields."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def dump(value: object) -> bytes:
    """Compact JSON of a value from `loads`, as UTF-8: no spaces, no ASCII escapes, every number with its digits."""
    try:
        return orjson.dumps(value, default=_plain)
    except TypeError:  # long integers, Decimals, surrogates: the slow road keeps them
        return _utf8(_written(value))


def dumps(value: object) -> str:
    """The same as text."""
    return dump(value).decode()


quoted = json.encoder.encode_basestring  # a str as JSON text, non-ASCII kept


def line(text: str) -> bytes:
    """Lines of JSON text as UTF-8: unpaired surrogates as U+FFFD, and nothing in them that some client takes for a line end."""
    if text.isascii():
        return text.encode()
    for char, escape in _LINE_ENDS.items():
        if char in text:
            text = text.replace(char, escape)
    return _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return mended_text(text).encode()


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
    if isinstance(value, Written):
        return orjson.Fragment(value.data)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _written(value: object) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            return str(value)
        case Written():
            return value.data.decode()
        case Mapping():
            return f"{{{','.join(f'{_written(str(key))}:{_written(item)}' for key, item in value.items())}}}"
        case list() | tuple():
            return f"[{','.join(map(_written, value))}]"
        case float():
            return orjson.dumps(value).decode()
        case _:
            return json.dumps(value)


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON value; send a number or null")


def _number(digits: str) -> float | Decimal:
    """A float where it writes the same digits again, else a Decimal."""
    number = float(digits)
    if orjson.dumps(number).decode() == digits:
        return number
    try:
        exact = Decimal(digits)
    except InvalidOperation:  # an exponent beyond 18 digits
        raise NotJson("a number in it has too many digits") from None
    again = Decimal(repr(number))
    return number if again == exact and again.as_tuple().digits == exact.as_tuple().digits else exact


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_constant)
