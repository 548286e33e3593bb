"""What a real Ollama alone makes of a call that its model writes whole, cut at each class of place, or malformed.

`python -m tests.real.parsers_table [old] [new]` prints it for the installed servers: a word for each case, then every
error text, wrong call and leaked text in full.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.real.answer import Answer
from tests.real.dialects import DIALECTS, Dialect
from tests.real.ollama import Ollama, running
from tests.real.script import Script
from tests.real.servers import SERVERS, installed
from tests.real.spelling import CONTENT, PATH, PLACES, TOOL, VISIBLE

COLUMNS = ("whole", *PLACES, "malformed")

WRITE_FILE = {
    "type": "function",
    "function": {
        "name": TOOL,
        "description": "Write a file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: whole, dropped (only the words before it came), error, wrong (another call), leaked (as text)."""

    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The outcomes for one parser, by column; a column is absent where its place has no characters to cut."""

    dialect: Dialect
    outcomes: dict[str, Outcome]


def question(dialect: Dialect, **options: object) -> dict[str, object]:
    """A chat with the one tool; `options` are Ollama's."""
    think = {} if dialect.think is None else {"think": dialect.think}
    return {
        "model": dialect.name,
        "messages": [{"role": "user", "content": "Write."}],
        "tools": [WRITE_FILE],
        "options": options,
        **think,
    }


def judge(answer: Answer, content: str = CONTENT) -> Outcome:
    """What became of the call that writes `content`."""
    if answer.error is not None:
        return Outcome("error", answer.error)
    if answer.calls == [(TOOL, {"path": PATH, "content": content})]:
        return Outcome("whole")
    if answer.calls:
        return Outcome("WRONG", repr(answer.calls))
    return Outcome("dropped") if answer.text.strip() == VISIBLE else Outcome("leaked", repr(answer.text))


async def measure(ollama: Ollama, dialect: Dialect) -> Row:
    """Ask models of this dialect for the whole call, each cut one and the malformed one."""
    spelling = dialect.spelling
    await teach(ollama, dialect, dialect.says(spelling.whole))
    found = {"whole": judge(await _ask(ollama, dialect))}
    for script, limits in dialect.cut():
        await teach(ollama, dialect, script)
        for place, limit in limits.items():
            found[place] = judge(await _ask(ollama, dialect, num_predict=limit))
    await teach(ollama, dialect, dialect.says(spelling.malformed))
    found["malformed"] = judge(await _ask(ollama, dialect), spelling.unbearable)
    return Row(dialect, found)


async def teach(ollama: Ollama, dialect: Dialect, script: Script) -> None:
    """Make a model of the dialect's own name that says the script."""
    await ollama.teach(dialect.name, script, dialect.model, **dialect.fields())


async def _ask(ollama: Ollama, dialect: Dialect, **options: object) -> Answer:
    return await ollama.ask("/api/chat", question(dialect, **options))


def table(rows: Iterable[Row]) -> str:
    """The words of each row under the names of the columns, then the details."""
    rows = list(rows)
    lines = ["parser".ljust(18) + "".join(column.ljust(11) for column in COLUMNS)]
    for row in rows:
        words = (row.outcomes[column].word if column in row.outcomes else "-" for column in COLUMNS)
        lines.append(row.dialect.name.ljust(18) + "".join(word.ljust(11) for word in words))
    for row in rows:
        details = (
            f"{row.dialect.name}, {column}: {outcome.word}: {outcome.detail}"
            for column, outcome in row.outcomes.items()
            if outcome.detail
        )
        lines.extend(details)
    return "\n".join(lines)


async def _rows(ollama: Ollama) -> list[Row]:
    return [await measure(ollama, dialect) for dialect in DIALECTS if ollama.generation in dialect.generations]


def main(generations: list[str]) -> int:
    for server in SERVERS:
        binary = installed(server.generation)
        if generations and server.generation not in generations:
            continue
        if binary is None:
            print(f"Ollama {server.version} is not installed: python tests/real/servers.py install")
            return 2
        with tempfile.TemporaryDirectory() as home, running(binary, server.generation, Path(home)) as ollama:
            print(f"Ollama {server.version}\n{table(asyncio.run(_rows(ollama)))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
