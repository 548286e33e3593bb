"""Stage: what a terminal would not show, or a person would not read, leaves old outputs. The least loss of all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.core.compaction.marks import mark
from gateway.core.compaction.stages.scene import Change, Scene

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_REPEATS = 3  # equal lines in a row from which on they are counted instead


def tidy(scene: Scene) -> Iterator[Change]:
    """Old outputs without colours, overwritten lines, trailing blanks, repeats and over-long lines."""
    for index, entry in scene.outputs():
        text = entry.message.text
        if (clean := tidied(text, scene.rules.line_chars)) != text:
            yield scene.retell(index, clean)


def tidied(text: str, line_chars: int) -> str:
    """`text` as a terminal would have left it, long lines cut to `line_chars` characters. Tidying twice changes nothing more."""
    if not _untidy(text, line_chars):
        return text
    lines = (_shown(line) for line in _ANSI.sub("", text).split("\n"))
    return "\n".join(_cut(line, line_chars) for line in _counted(lines))


def _untidy(text: str, line_chars: int) -> bool:
    """Whether there is anything to do: most outputs are tidy, and each compaction looks at them again."""
    if text.endswith((" ", "\t")) or any(sign in text for sign in ("\x1b", "\r", " \n", "\t\n")):
        return True
    lines = text.split("\n")
    return max(map(len, lines)) > line_chars or any(map(_same, lines, lines[1:], lines[2:]))


def _same(first: str, second: str, third: str) -> bool:
    return first == second == third


def _shown(line: str) -> str:
    """What stands in a line after its carriage returns: the last text that was drawn over the others."""
    drawn = [piece for piece in line.rstrip().split("\r") if piece]
    return drawn[-1].rstrip() if drawn else ""


def _counted(lines: Iterable[str]) -> Iterator[str]:
    for line, run in groupby(lines):
        count = sum(1 for _ in run)
        if count < _REPEATS:
            yield from [line] * count
        else:
            yield line
            if line:
                yield mark(f"the line above came {count:,} times")


def _cut(line: str, most: int) -> str:
    if len(line) <= most:
        return line
    head, tail = line[: most // 2], line[len(line) - most // 4 :]
    return f"{head} {mark(f'{len(line) - len(head) - len(tail):,} characters of this line left out')} {tail}"
