"""Counting by characters: the best-scored neighbours merge, over spaces written as ▁. sentencepiece does the merging."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from gateway.tokenizers.recipe import Recipe

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_LINES = re.compile(r"[^\n]+|\n+")
# No token goes on past a space that follows a letter, so that what stands between such spaces is counted once.
_WORDS = re.compile(f"{_SPACE}*[^{_SPACE}]+|{_SPACE}+")


class _Engine(Protocol):
    def encode(self, texts: list[str]) -> list[list[int]]: ...


class SentenceWords:
    """Tokens of plain text, without special tokens, for a recipe of the family "characters"."""

    def __init__(self, recipe: Recipe) -> None:
        self._engine = _engine(recipe)
        self._prefix = _SPACE if recipe.space_prefix else ""
        self._by_line = recipe.by_line
        self._newlines = frozenset(recipe.newlines)
        self._by_word = not any(_SPACE in token.lstrip(_SPACE) for token in recipe.tokens)

    def count(self, text: str) -> int:
        """Raises UnicodeEncodeError for lone surrogates."""
        if not text.encode():  # raises; sentencepiece would say that the text is no text (TypeError, 0.2.3)
            return 0
        text = self._prefix + text.replace(" ", _SPACE)
        if not self._by_line:
            return self._sum(Counter(self._words(text)))
        lines = Counter(_LINES.findall(text))
        breaks = [line for line in lines if line[0] == "\n"]
        broken = sum(lines.pop(line) * (1 if len(line) in self._newlines else len(line)) for line in breaks)
        words = Counter[str]()
        for line, times in lines.items():
            for word in self._words(line):
                words[word] += times
        return broken + self._sum(words)

    def _words(self, text: str) -> Iterator[str]:
        return (match.group() for match in _WORDS.finditer(text)) if self._by_word else iter((text,))

    def _sum(self, words: Counter[str]) -> int:
        tokens = self._engine.encode(list(words))
        return sum(times * len(each) for times, each in zip(words.values(), tokens, strict=True))


def _engine(recipe: Recipe) -> _Engine:
    import sentencepiece  # loaded where a model needs it: most have byte vocabularies

    engine: _Engine = sentencepiece.SentencePieceProcessor(model_proto=_model(recipe))
    return engine


_UNKNOWN, _NORMAL, _BYTE = 2, 1, 6
_NO_TEXT = "\U0010ffff"  # no character, so no vocabulary's token: sentencepiece wants a piece for the unknown


def _model(recipe: Recipe) -> bytes:
    """A sentencepiece ModelProto: the pieces, merging by score with bytes for what has no piece, nothing normalised.

    Written by hand after sentencepiece_model.proto (0.2.3): its Python classes would need protobuf.
    """
    scored = dict(zip(recipe.tokens, recipe.scores, strict=True))
    pieces = [_piece(_NO_TEXT, 0.0, _UNKNOWN)]
    for byte in (f"<0x{number:02X}>" for number in range(256)):
        scored.pop(byte, None)
        pieces.append(_piece(byte, 0.0, _BYTE))
    pieces += [_piece(token, score, _NORMAL) for token, score in scored.items()]
    merging = (
        _number(3, 2) + _number(4, len(pieces)) + _number(35, 1) + b"".join(_number(key, _NONE) for key in (41, 42))
    )
    as_it_is = _bytes(1, b"identity") + _number(3, 0) + _number(4, 0)
    return b"".join(_bytes(1, piece) for piece in pieces) + _bytes(2, merging) + _bytes(3, as_it_is)


_NONE = (1 << 64) - 1  # -1 as a varint: no such token


def _piece(text: str, score: float, kind: int) -> bytes:
    return _bytes(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes((kind,))


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
