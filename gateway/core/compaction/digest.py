"""The record that stands in place of the oldest turns: the ledger in words, in as much detail as there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.core.compaction.ledger import Ledger, Request, Run
from gateway.core.compaction.marks import clipped, mark

END = mark("end of the record; what follows is the conversation as it was")
_LATEST = 3  # requests told in more detail than those before


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How much a record tells: characters of a text, or how many entries, the latest, of a list."""

    latest: int = 0
    request: int = 0
    outcome: int = 0
    changed: int = 0
    read: int = 0
    runs: int = 0
    steps: int = 0
    line: int = 0
    errors: int = 0
    notes: int = 0


# Most first. The beginnings of all requests and the changed files are the last to go: nothing else can tell them again.
DETAILS = (
    Detail(
        latest=1600, request=800, outcome=400, changed=400, read=80, runs=24, steps=400, line=400, errors=8, notes=8
    ),
    Detail(
        latest=1200, request=400, outcome=240, changed=400, read=60, runs=16, steps=400, line=240, errors=6, notes=6
    ),
    Detail(latest=800, request=240, outcome=120, changed=400, read=40, runs=10, steps=400, line=240, errors=4, notes=4),
    Detail(latest=400, request=240, outcome=0, changed=200, read=20, runs=6, steps=200, line=240, errors=3, notes=2),
    Detail(latest=240, request=210, outcome=0, changed=100, read=0, runs=3, steps=40, line=210, errors=1, notes=1),
    Detail(latest=240, request=120, outcome=0, changed=60, read=0, runs=2, steps=20, line=120, errors=1, notes=1),
    Detail(latest=160, request=60, outcome=0, changed=30, read=0, runs=0, steps=8, line=80, errors=1, notes=0),
    Detail(latest=80, request=0, outcome=0, changed=10, read=0, runs=0, steps=0, line=0, errors=0, notes=0),
    Detail(),
)


def record(ledger: Ledger, detail: Detail, *, shown: frozenset[int], summary: str = "") -> str:
    """The record of `ledger` in `detail`. Requests at the places in `shown` stand whole beside it and are only pointed at."""
    opener = mark(f"{ledger.messages:,} earlier messages are replaced by this record of them")
    sections = [opener, *_sections(ledger, detail, shown), *([summary] if summary and detail.notes else []), END]
    return "\n".join(sections) if len(sections) > 2 else opener


def _sections(ledger: Ledger, detail: Detail, shown: frozenset[int]) -> Iterator[str]:
    files = list(ledger.files.values())
    changed = [f"{file.path} ({_times(file.changes, 'change')})" for file in files if file.changes]
    read = [file.path for file in files if not file.changes]
    yield from _section("The user asked, in this order:", _requests(ledger.requests, detail, shown))
    yield from _section("Files changed:", _latest(changed, detail.changed))
    yield from _section("Files read, not changed:", _latest(read, detail.read))
    yield from _section("Commands and the last result of each:", _runs(list(ledger.runs.values()), detail))
    yield from _section("Steps and the beginning of what each gave:", _steps(ledger.steps, detail))
    errors = [f"{what}: {line}" if what else line for what, line in ledger.errors.items()]
    yield from _section(
        "Errors not seen solved:", [clipped(line, detail.line) for line in _latest(errors, detail.errors)]
    )
    yield from _section(
        "Notes of the assistant:", [clipped(n, detail.line) for n in _latest(ledger.notes, detail.notes)]
    )


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield "\n".join([title, *(f"- {line}" for line in lines)])


def _latest(lines: list[str], most: int) -> list[str]:
    return lines[-most:] if most else []


def _requests(requests: list[Request], detail: Detail, shown: frozenset[int]) -> list[str]:
    lines = []
    for back, request in enumerate(reversed(requests)):
        text = clipped(request.text, detail.latest if back < _LATEST else detail.request)
        told = "(whole beside this record)" if request.place in shown else text
        if told:
            outcome = clipped(request.outcome, detail.outcome)
            lines.append(f"{told} → {outcome}" if outcome else told)
    return lines[::-1]


def _runs(runs: list[Run], detail: Detail) -> list[str]:
    half = detail.line // 2
    return [
        f"`{clipped(run.command, detail.line)}`{f' ({run.times} times)' if run.times > 1 else ''} → {clipped(run.result, half) or 'no output'}"
        for run in _latest_runs(runs, detail.runs)
    ]


def _latest_runs(runs: list[Run], most: int) -> list[Run]:
    return runs[-most:] if most else []


def _steps(steps: list[tuple[str, str]], detail: Detail) -> list[str]:
    kept = steps[-detail.steps :] if detail.steps else []
    return [f"`{clipped(command, detail.line)}` → {clipped(output, detail.line)}" for command, output in kept]


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
