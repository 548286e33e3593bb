"""What commands print: one JSON object for scripts, plain words and tables for people. Law: nothing printed moves a cursor."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.core import jsontext

_WIDE = 120  # columns where the output is no terminal
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def print_json(value: object) -> None:
    """The one object of `--json`."""
    sys.stdout.write(jsontext.dumps(value) + "\n")


def console() -> Console:
    """Standard output for people. Markup is off: what servers and files say may hold brackets."""
    width = None if sys.stdout.isatty() else _WIDE
    return Console(width=width, markup=False, highlight=False, emoji=False)


def plain(text: str) -> str:
    """A text from elsewhere, with its control characters made visible."""
    return text.translate(_CONTROLS)


def table(*columns: str) -> Table:
    """An empty table. A column whose name ends with `>` holds numbers, one with `!` what is copied: it is never broken."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(
            column.rstrip(">!"),
            justify="right" if column.endswith(">") else "left",
            no_wrap=column.endswith("!"),
            overflow="fold",
        )
    return made


def add_row(into: Table, cells: Iterable[object], *, style: str = "") -> None:
    """A row; what is not known is shown as a dash."""
    into.add_row(*(Text(plain(str(cell)) if cell not in (None, "") else "–") for cell in cells), style=style)


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `12 s`, `6 min 7 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
