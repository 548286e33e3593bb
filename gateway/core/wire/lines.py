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
        """The lines that are whole now. Raises LineTooLong."""
        *ended, rest = item.split(b"\n")
        for line in ended:
            whole = self._whole(line) if self._size else line
            yield whole.removesuffix(b"\r")
        if rest:
            self._open.append(rest)
            self._size += len(rest)
            if self._size > LINE_LIMIT:
                raise LineTooLong

    def close(self) -> Iterator[bytes]:
        """The last line, where it had no end."""
        if last := self._whole(b"").removesuffix(b"\r"):
            yield last

    def _whole(self, end: bytes) -> bytes:
        line = b"".join((*self._open, end))
        self._open, self._size = [], 0
        return line


class Events:
    """Bytes to the data of server-sent events. Comments and other fields are skipped."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[bytes] = []

    def feed(self, item: bytes) -> Iterator[bytes]:
        """The events that are whole now. Raises LineTooLong."""
        for line in self._lines.feed(item):
            if line:
                self._note(line)
            elif self._data:
                yield self._event()

    def close(self) -> Iterator[bytes]:
        """A stream that ends without its last blank line still said what it said."""
        for line in self._lines.close():
            self._note(line)
        if self._data:
            yield self._event()

    def _note(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"error":  # llama.cpp's server until 2025: the error's object as a field of its own
            self._data.append(b'{"error":' + value + b"}")

    def _event(self) -> bytes:
        data = b"\n".join(self._data)
        self._data = []
        return data
