"""What becomes of a call that a model writes whole, cut at each class of place, or malformed: by Ollama alone, and through Holdfast.

`python -m tests.real.parsers_table [old] [new]` prints it for the installed servers: two lines of words for each parser,
then every error text, wrong call and leaked text in full. `--markdown` prints the tables of docs/real-servers.md.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.real.answer import Answer
from tests.real.client import Seen, chat, events
from tests.real.dialects import DIALECTS, Dialect
from tests.real.holdfast import serve
from tests.real.ollama import Ollama, running
from tests.real.saying import UNPROMPTED
from tests.real.script import Script
from tests.real.servers import SERVERS, Server, installed
from tests.real.spelling import CONTENT, PATH, PLACES, TOOL, VISIBLE

COLUMNS = ("whole", *PLACES, "malformed")
HONEST = frozenset({"whole", "length", "refused", "remade"})  # what a client of the gateway may see

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
    """What became of a call, in a word, and what tells more.

    Alone: whole, dropped (only the words before it came), error, WRONG (another call), leaked (as text). Through the
    gateway: whole; length and refused (an honest end, with or without text); remade (the model was asked for its call
    again, in a way that a model of one text can't answer: held to the call's schema, or from another place); WRONG,
    LEAKED, DROPPED and BROKEN are faults.
    """

    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A column for one dialect: the model to ask, the most tokens it may make, and what its call would write."""

    column: str
    model: str
    limit: int | None = None
    content: str = CONTENT


@dataclass(frozen=True, slots=True)
class Row:
    """The outcomes for one parser, by column; a column is absent where its place has no characters to cut."""

    dialect: Dialect
    alone: dict[str, Outcome]
    through: dict[str, Outcome]


def question(dialect: Dialect, *, model: str = "", **options: object) -> dict[str, object]:
    """A chat with the one tool; `options` are Ollama's."""
    think = {} if dialect.think is None else {"think": dialect.think}
    return {
        "model": model or dialect.name,
        "messages": [{"role": "user", "content": "Write."}],
        "tools": [WRITE_FILE],
        "options": options,
        **think,
    }


def judge(answer: Answer, content: str = CONTENT) -> Outcome:
    """What became of the call that writes `content`, as Ollama tells it."""
    if answer.error is not None:
        return Outcome("error", answer.error)
    if answer.calls == [(TOOL, {"path": PATH, "content": content})]:
        return Outcome("whole")
    if answer.calls:
        return Outcome("WRONG", repr(answer.calls))
    return Outcome("dropped") if answer.text.strip() == VISIBLE else Outcome("leaked", repr(answer.text))


def judge_seen(seen: Seen, content: str = CONTENT) -> Outcome:
    """What became of it as a client of the gateway sees it: nothing passes that is not whole, or an honest end."""
    if seen.text.endswith(UNPROMPTED) and not seen.calls:
        return Outcome("remade", "asked for the call again from a place from which it says nothing")
    if not VISIBLE.startswith(seen.text.strip()):
        return Outcome("LEAKED", repr(seen.text))
    if seen.calls and seen.calls != [(TOOL, {"path": PATH, "content": content})]:
        return Outcome("WRONG", repr(seen.calls))
    match seen.calls, seen.ends, seen.error:
        case [_], ["tool_calls" | "length"], None if seen.text.strip() == VISIBLE:  # length: only markup was cut off
            return Outcome("whole", seen.did)
        case [], ["length"], None:
            return Outcome("length", seen.did)
        case [], [], dict(error):
            return Outcome("refused", str(error["message"]))
        case [], ["stop"], None:
            return Outcome("DROPPED", seen.did)
        case _:
            return Outcome("BROKEN", repr(seen))


async def teach(ollama: Ollama, dialect: Dialect, script: Script, *, model: str = "") -> None:
    """Make a model, of the dialect's own name unless told, that says the script."""
    await ollama.teach(model or dialect.name, script, dialect.model, **dialect.fields())


async def cases(ollama: Ollama, dialect: Dialect) -> list[Case]:
    """Teach every model that the dialect's row asks; each has a name of its own, since the gateway remembers models."""
    spelling = dialect.spelling
    found: list[Case] = []

    async def taught(script: Script) -> str:
        model = f"{dialect.name}-{len({case.model for case in found})}"
        await teach(ollama, dialect, script, model=model)
        return model

    found.append(Case("whole", await taught(dialect.says(spelling.whole))))
    for script, limits in dialect.cut():
        model = await taught(script)
        found += [Case(place, model, limit) for place, limit in limits.items()]
    found.append(Case("malformed", await taught(dialect.says(spelling.malformed)), content=spelling.unbearable))
    return found


async def ask_alone(ollama: Ollama, dialect: Dialect, case: Case) -> Outcome:
    options = {} if case.limit is None else {"num_predict": case.limit}
    body = {**question(dialect, model=case.model, **options), "shift": False}  # as the gateway sends it: no reload
    return judge(await ollama.ask("/api/chat", body), case.content)


async def ask_through(url: str, dialect: Dialect, case: Case) -> Outcome:
    seen = await chat(url, "Write.", model=case.model, tools=[WRITE_FILE], think=dialect.think, max_tokens=case.limit)
    outcome = judge_seen(seen, case.content)
    if outcome.word != "WRONG":
        return outcome
    last = (await events(url, seen, "Began"))[-1]
    return Outcome("remade", outcome.detail) if last["mode"] == "schema" else outcome


async def measure(ollama: Ollama, url: str, dialect: Dialect, asked: Sequence[Case]) -> Row:
    """Both lines of a row. Each model is asked for all of its columns, alone and through, while it is loaded."""
    alone, through = {}, {}
    for case in asked:
        alone[case.column] = await ask_alone(ollama, dialect, case)
        if alone[case.column].word == "error":  # after one v0.24.0 may hang, for us alone for ever
            await ollama.unload(case.model)
        through[case.column] = await ask_through(url, dialect, case)
        if alone[case.column].word == "error":
            await ollama.unload(case.model)
    return Row(dialect, alone, through)


def table(found: Sequence[Row]) -> str:
    """The words of each row under the names of the columns, then the details."""
    lines = ["parser".ljust(27) + "".join(column.ljust(11) for column in COLUMNS)]
    for row in found:
        lines += [_line(row.dialect.name, "alone", row.alone), _line("", "through", row.through)]
    for row in found:
        lines += _details(row.dialect.name, "alone", row.alone) + _details(row.dialect.name, "through", row.through)
    return "\n".join(lines)


def _line(name: str, by: str, outcomes: dict[str, Outcome]) -> str:
    words = (outcomes[column].word if column in outcomes else "-" for column in COLUMNS)
    return name.ljust(18) + by.ljust(9) + "".join(word.ljust(11) for word in words)


def _details(name: str, by: str, outcomes: dict[str, Outcome]) -> list[str]:
    return [
        f"{name}, {by}, {column}: {outcome.word}: {outcome.detail}"
        for column, outcome in outcomes.items()
        if outcome.detail
    ]


def markdown(found: Sequence[Row]) -> str:
    """The same as a table for the documentation; what Ollama alone delivered, an arrow, what came through."""
    lines = [f"| parser | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row in found:
        cells = (
            f"{row.alone[column].word} → {row.through[column].word}" if column in row.alone else "–"
            for column in COLUMNS
        )
        lines.append(f"| {row.dialect.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


async def rows(ollama: Ollama, state: Path) -> list[Row]:
    """The whole table of a server, with a gateway of its own before it."""
    dialects = [dialect for dialect in DIALECTS if ollama.generation in dialect.generations]
    asked = [await cases(ollama, dialect) for dialect in dialects]  # all before the gateway: it remembers lists too
    with serve(ollama.url, state) as url:
        return [await measure(ollama, url, dialect, each) for dialect, each in zip(dialects, asked, strict=True)]


def _printed(server: Server, binary: Path, *, as_markdown: bool) -> None:
    with tempfile.TemporaryDirectory() as home, running(binary, server.generation, Path(home)) as ollama:
        found = asyncio.run(rows(ollama, Path(home) / "state"))
    print(f"Ollama {server.version}\n\n{(markdown if as_markdown else table)(found)}\n")


def main(arguments: list[str]) -> int:
    generations = [each for each in arguments if not each.startswith("--")]
    for server in SERVERS:
        binary = installed(server.generation)
        if generations and server.generation not in generations:
            continue
        if binary is None:
            print(f"Ollama {server.version} is not installed: python tests/real/servers.py install")
            return 2
        _printed(server, binary, as_markdown="--markdown" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
