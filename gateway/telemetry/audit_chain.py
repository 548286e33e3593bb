"""The audit log's lines and their chain: each line's mark is a keyed hash of the line and of the mark before it.

A line changed, taken out, put in or moved breaks the chain there. The head file, which holds the last number and mark, shows
when lines are missing at the end. Who has the key can forge all of it: it lies in the state directory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

NAME = "audit.jsonl"
HEAD = "audit.head"
START = "0" * 32
_MARK = re.compile(rb', "mark": "([0-9a-f]{32})"\}\Z')


@dataclass(frozen=True, slots=True)
class Head:
    """The number of the last line and its mark."""

    number: int = 0
    mark: str = START


def line_of(said: Mapping[str, object], head: Head, key: bytes) -> tuple[bytes, Head]:
    """The next line, with its line end, and the head after it."""
    number = head.number + 1
    body = json.dumps({"n": number, **said}, ensure_ascii=True)[:-1].encode()
    mark = _mark(body, head.mark, key)
    return body + f', "mark": "{mark}"}}\n'.encode(), Head(number, mark)


def _mark(body: bytes, before: str, key: bytes) -> str:
    return blake2b(bytes.fromhex(before) + body, key=key, digest_size=16).hexdigest()


def files(folder: Path) -> list[Path]:
    """The files of the log, oldest first."""
    older = [path for path in folder.glob("audit-*.jsonl") if path.stem.removeprefix("audit-").isdigit()]
    older.sort(key=lambda path: int(path.stem.removeprefix("audit-")))
    return [*older, *([folder / NAME] if (folder / NAME).exists() else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of the log found. `broken` names the first line that is wrong, and why; "" where none is.

    `first` is the number of the oldest line that is still kept; `torn` are lines that a kill cut in the middle.
    """

    lines: int = 0
    first: int = 0
    torn: int = 0
    broken: str = ""


def check(folder: Path, key: bytes) -> Checked:
    """Check the whole chain, up to the first line that is wrong."""
    checking = _Checking(key)
    for path in files(folder):
        for place, line in enumerate(_lines(path), 1):
            if why := checking.wrong(line):
                return checking.found(f"{path.name}, line {place}: {why}")
    return checking.found(_beyond(checking.head, read_head(folder)))


def _beyond(end: Head, told: Head | None) -> str:
    """What the head file says against this end of the log. It is written after each line, so that a kill leaves it one behind."""
    if told is None:
        return (
            f"{HEAD} is missing or can't be read, so that nobody can tell whether lines are missing at the end"
            if end.number > 1
            else ""
        )
    if told.number > end.number:
        return f"{NAME}: {told.number - end.number} lines are missing at the end"
    return (
        f"{NAME}: its last line is not the one that was written"
        if told.number == end.number and told.mark != end.mark
        else ""
    )


def read_head(folder: Path) -> Head | None:
    """The head that was last written, None where there is none that can be read."""
    try:
        number, mark = (folder / HEAD).read_text(encoding="ascii").split()
        return Head(int(number), mark)
    except (OSError, ValueError):
        return None


def entries(folder: Path) -> Iterator[Mapping[str, Any]]:
    """What the log says, line by line, unchecked; torn lines are left out."""
    for path in files(folder):
        for line in _lines(path):
            if isinstance(said := _said(line), dict) and "event" in said:
                yield said


@dataclass(slots=True)
class _Checking:
    key: bytes
    head: Head = field(default_factory=Head)
    lines: int = 0
    first: int = 0
    torn: int = 0
    fragments: list[int] = field(default_factory=list)

    def found(self, broken: str) -> Checked:
        return Checked(lines=self.lines, first=self.first, torn=self.torn + len(self.fragments), broken=broken)

    def wrong(self, line: bytes) -> str:
        """Why this line is wrong, "" where it is not. One that is no entry was torn, if the next entry says so."""
        said, mark = _said(line), _MARK.search(line)
        if not isinstance(said, dict) or mark is None:
            self.fragments.append(len(line))
            return ""
        before, number = self.head.mark, self.head.number + 1
        if not self.lines and "after" in said:  # older files are gone, as the bound on their number wants it
            before, number = str(said["after"]), int(said["n"])
        if (
            not re.fullmatch("[0-9a-f]{32}", before)
            or _mark(line[: mark.start()], before, self.key) != mark[1].decode()
        ):
            return "its mark does not fit: this line was changed, or lines before it were changed or taken out"
        if said.get("n") != number:
            return f"has the number {said.get('n')} in place of {number}"
        if said.get("torn", []) != self.fragments:
            return "the line before it was changed"
        self.head, self.first = Head(number, mark[1].decode()), self.first or number
        self.lines, self.torn, self.fragments = self.lines + 1, self.torn + len(self.fragments), []
        return ""


@dataclass(frozen=True, slots=True)
class End:
    """How a file ends: its head, the lengths of torn lines after that, and whether the last line has no line end."""

    head: Head = field(default_factory=Head)
    torn: tuple[int, ...] = ()
    open: bool = False


def end_of(tail: bytes) -> End:
    """The end of a file that ends with these bytes. A kill may have cut the last line, and the one that told so."""
    *lines, fragment = tail.split(b"\n")
    if fragment:
        lines.append(fragment)
    torn: list[int] = []
    for line in reversed(lines):
        said, mark = _said(line), _MARK.search(line)
        if isinstance(said, dict) and mark is not None:
            return End(Head(int(said["n"]), mark[1].decode()), tuple(reversed(torn)), bool(fragment))
        torn.append(len(line))
    return End(torn=tuple(reversed(torn)), open=bool(fragment))


def _said(line: bytes) -> object:
    try:
        said: object = json.loads(line)
    except ValueError:
        return None
    return said


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as opened:
        for line in opened:
            yield line.removesuffix(b"\n")
