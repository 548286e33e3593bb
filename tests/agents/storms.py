"""What a failing upstream costs with each agent, without the gateway and with it: `python -m tests.agents.storms [--long] [--markdown] [WORD …]`.

Each run has a simulated Ollama of its own, and the gateway as its users run it. `--long` has silence of 330 s in place of
12. Words choose rows: those that have them all in the names of agent and trouble. Exit status 1: behind the gateway something cost more than promised.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.agents.clients import CLIENTS, Client
from tests.agents.troubles import (
    CALM,
    CAPPED_IN_CALL,
    CRASH_FOR_EVER,
    CRASH_IN_CALL,
    CRASH_IN_TEXT,
    GONE_FOR_EVER,
    OVERFLOW_FOR_EVER,
    RESET_FOR_EVER,
    SILENT_IN_CALL,
    Met,
    Trouble,
    meet_all,
    most,
    silence,
)

AT_ONCE = 8  # most of their time is waiting


def troubles(*, long: bool) -> tuple[Trouble, ...]:
    return (
        CALM,
        silence(330 if long else 12),
        CRASH_IN_TEXT,
        CRASH_IN_CALL,
        CAPPED_IN_CALL,
        SILENT_IN_CALL,
        GONE_FOR_EVER,
        CRASH_FOR_EVER,
        RESET_FOR_EVER,
        OVERFLOW_FOR_EVER,
    )


def chosen(words: Sequence[str], *, long: bool) -> list[tuple[Client, Trouble, bool]]:
    """The runs, those that wait longest first."""
    pairs = [(client, each) for each in troubles(long=long) for client in CLIENTS]
    wanted = [pair for pair in pairs if all(word in f"{pair[0]} {pair[1]}" for word in words)]
    wanted.sort(key=lambda pair: (pair[1].passes, "silence" not in pair[1].name))
    return [(client, each, guarded) for client, each in wanted for guarded in (False, True)]


def cost(met: Met) -> str:
    """Its generations; with a plus where the agent was still at it when it was killed."""
    return f"{met.generations}{'' if met.status is not None else '+'}"


def ended(met: Met) -> str:
    """Whether the task was finished, and if not, what became of the file."""
    return "yes" if met.finished else f"no, file {met.file}"


def broken(met: Met) -> str:
    """The promise that was not kept behind the gateway, if one was not."""
    bound = most(met.client, met.trouble)
    if met.file == "BROKEN":
        return "half a file"
    if met.trouble.passes and not met.finished:
        return "not finished"
    return f"{met.generations} generations, {bound} at most" if met.generations > bound else ""


def table(met: Sequence[Met], *, markdown: bool) -> Iterator[str]:
    """A row for each agent and trouble: without the gateway beside with it."""
    cells: list[tuple[str, ...]] = [
        ("trouble", "agent", "generations without", "with", "finished without", "with", "seconds without", "with")
    ]
    for bare, behind in zip(met[::2], met[1::2], strict=True):
        pair = (bare, behind)
        cells.append((str(bare.trouble), str(bare.client), *map(cost, pair), *map(ended, pair), *map(_seconds, pair)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for number, row in enumerate(cells):
        line = " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {line} |" if markdown else line.rstrip()
        if number == 0:
            yield "|---" * len(row) + "|" if markdown else "-" * len(line)


def _seconds(met: Met) -> str:
    return f"{met.seconds:.0f}"


def in_order(met: Sequence[Met], *, long: bool) -> list[Met]:
    """As the troubles are listed, each pair together."""
    names = [each.name for each in troubles(long=long)]
    return sorted(met, key=lambda each: (names.index(each.trouble.name), CLIENTS.index(each.client), each.guarded))


async def main(arguments: Sequence[str]) -> int:
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # the upstream's complaints about clients that leave
    long = "--long" in arguments
    runs = chosen([word for word in arguments if not word.startswith("--")], long=long)
    for client in {client.name: client for client, _, _ in runs}.values():
        client.install()
    with tempfile.TemporaryDirectory() as folder:
        met = await meet_all(runs, folder=Path(folder), at_once=AT_ONCE)
    print("\n".join(table(in_order(met, long=long), markdown="--markdown" in arguments)))
    failed = [(each, why) for each in met if each.guarded and (why := broken(each))]
    print(f"\n{len(met) // 2} rows, {len(failed)} of them break a promise")
    for each, why in failed:
        print(f"\n{each.client}, {each.trouble}: {why}\n{each.told}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
