"""Reads the header of a GGUF file: its fields with their types. Standard library only."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BOOL, STRING, ARRAY = 7, 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True, slots=True)
class Field:
    """A value with the number of its type in the format, and for an array the one of its entries."""

    value: object
    kind: int
    entries: int | None = None

    def number(self) -> int:
        assert isinstance(self.value, int)
        return self.value

    def numbers(self) -> tuple[int, ...]:
        assert isinstance(self.value, list)
        return tuple(self.value)

    def texts(self) -> tuple[str, ...]:
        assert isinstance(self.value, list)
        return tuple(self.value)


def read_header(path: Path) -> dict[str, Field]:
    """All fields of the header, by key."""
    with path.open("rb") as file:
        magic, _version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
        if magic != b"GGUF":
            raise ValueError(f"{path} is not a GGUF file")
        return dict(_field(file) for _ in range(count))


def _field(file: BinaryIO) -> tuple[str, Field]:
    key = _string(file)
    (kind,) = struct.unpack("<I", file.read(4))
    if kind != ARRAY:
        return key, Field(_values(file, kind, 1)[0], kind)
    entries, count = struct.unpack("<IQ", file.read(12))
    return key, Field(_values(file, entries, count), kind, entries)


def _values(file: BinaryIO, kind: int, count: int) -> list[object]:
    if kind == STRING:
        return [_string(file) for _ in range(count)]
    layout = f"<{count}{_SCALARS[kind]}"
    return list(struct.unpack(layout, file.read(struct.calcsize(layout))))


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(length).decode()
