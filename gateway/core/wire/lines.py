"""Splits a byte stream into lines and server-sent events, however it was chunked. Lines are bounded; nothing is decoded here."""

from __future__ import annotations

from collections.abc import Iterator

LINE_LIMIT = 64 << 20  # a base64 image or a large tool call arrives as one line


class LineTooLong(ValueError):
    """A line passed LINE_LIMIT bytes without an end."""


class Lines:
    """Bytes to lines without their line ends; blank lines are given too. Linear however small the pieces are."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._size = 0

    def feed(self, item: bytes) -> Iterator[bytes]:
        first, *rest = item.split(b"\n")
        self._open.append(first)
        self._size += len(first)
        if self._size > LINE_LIMIT:
            raise LineTooLong
        if not rest:
            return
        yield b"".join(self._open).removesuffix(b"\r")
        for line in rest[:-1]:
            yield line.removesuffix(b"\r")
        self._open = [rest[-1]]
        self._size = len(rest[-1])

    def close(self) -> Iterator[bytes]:
        last = b"".join(self._open)
        self._open, self._size = [], 0
        if last:
            yield last


class Events:
    """Bytes to the data of server-sent events. Comments and other fields are skipped; an unfinished event is dropped."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[bytes] = []

    def feed(self, item: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(item):
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []

    def close(self) -> Iterator[bytes]:
        """A stream that ends without its last blank line still said what it said."""
        for line in self._lines.close():
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
        if self._data:
            yield b"\n".join(self._data)
            self._data = []
