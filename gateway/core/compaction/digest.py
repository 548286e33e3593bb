"""The record that stands in place of the oldest turns: the ledger in words, in as much detail as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

from gateway.core.compaction.ledger import Ledger
from gateway.core.compaction.marks import clipped, mark

END = mark("end of the record; what follows is the conversation as it was")
_LATEST = 3  # requests told in more detail than those before

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Detail:
    """How much a record tells: characters of one text (`latest`, `request`, `outcome`, `line`), or how many of a list, the latest."""

    latest: int
    request: int
    outcome: int
    line: int
    changed: int
    read: int
    runs: int
    steps: int
    errors: int
    notes: int


# Most first. The beginnings of all requests and the changed files are the last to go: nothing else can tell them again.
DETAILS = (
    Detail(
        latest=1600, request=800, outcome=400, line=400, changed=400, read=80, runs=24, steps=400, errors=8, notes=8
    ),
    Detail(
        latest=1200, request=400, outcome=240, line=240, changed=400, read=60, runs=16, steps=400, errors=6, notes=6
    ),
    Detail(latest=800, request=240, outcome=120, line=240, changed=400, read=40, runs=10, steps=400, errors=4, notes=4),
    Detail(latest=400, request=240, outcome=0, line=240, changed=400, read=20, runs=6, steps=200, errors=3, notes=2),
    Detail(latest=240, request=210, outcome=0, line=210, changed=200, read=0, runs=3, steps=40, errors=1, notes=1),
    Detail(latest=240, request=210, outcome=0, line=80, changed=200, read=0, runs=0, steps=8, errors=1, notes=0),
    Detail(latest=240, request=120, outcome=0, line=80, changed=80, read=0, runs=0, steps=8, errors=1, notes=0),
    Detail(latest=160, request=60, outcome=0, line=80, changed=80, read=0, runs=0, steps=8, errors=1, notes=0),
    Detail(latest=160, request=60, outcome=0, line=80, changed=30, read=0, runs=0, steps=4, errors=1, notes=0),
    Detail(latest=80, request=24, outcome=0, line=0, changed=20, read=0, runs=0, steps=0, errors=0, notes=0),
    Detail(latest=80, request=0, outcome=0, line=0, changed=10, read=0, runs=0, steps=0, errors=0, notes=0),
)


def record(ledger: Ledger, detail: Detail, *, whole: Mapping[int, str], summary: str = "") -> str:
    """The record of `ledger` in `detail`. `whole` says where the requests stand that are kept whole, by their places in the thread.

    A `summary` by the model is told as long as there is room for notes.
    """
    sections = [least(ledger, len(whole)), *_sections(ledger, detail, whole)]
    if summary and detail.notes:
        sections.append(summary)
    return "\n".join([*sections, END])


def bounds(ledger: Ledger, *, whole: Mapping[int, str]) -> list[int]:
    """For each of DETAILS, characters that a record has at least: found at once, where writing it would take milliseconds."""
    lengths = [len(request.text) for request in ledger.requests if request.place not in whole]
    return [sum(map(min, lengths, repeat(detail.request))) for detail in DETAILS]


def least(ledger: Ledger, whole: int = 0) -> str:
    """The shortest record: how many messages went."""
    gone = ledger.messages - whole
    return mark(f"{gone:,} earlier {'message is' if gone == 1 else 'messages are'} replaced by this record")


def _sections(ledger: Ledger, detail: Detail, whole: Mapping[int, str]) -> Iterator[str]:
    files = list(ledger.files.values())
    changed = [f"{file.path} ({_times(file.changes)})" for file in files if file.changes]
    errors = [f"{what}: {line}" if what else line for what, line in ledger.errors.items()]
    yield from _section("The user asked, in this order:", _requests(ledger, detail, whole))
    yield from _section("Files changed:", _last(changed, detail.changed))
    yield from _section("Files looked at, not changed:", _last([f.path for f in files if not f.changes], detail.read))
    yield from _section("Commands, and the last result of each:", _runs(ledger, detail))
    yield from _section("Steps, and the beginning of what each gave:", _steps(ledger, detail))
    yield from _section("Errors not seen solved:", [clipped(e, detail.line) for e in _last(errors, detail.errors)])
    yield from _section("The plan as it stood:", [clipped(ledger.plan, detail.latest)] if ledger.plan else [])
    yield from _section("Notes of the assistant:", [clipped(n, detail.line) for n in _last(ledger.notes, detail.notes)])


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "\n- ".join([title, *lines])


def _requests(ledger: Ledger, detail: Detail, whole: Mapping[int, str]) -> list[str]:
    lines = []
    for back, request in enumerate(reversed(ledger.requests)):
        text = whole.get(request.place) or clipped(request.text, detail.latest if back < _LATEST else detail.request)
        outcome = clipped(request.outcome, detail.outcome)
        if text:
            lines.append(f"{text} → {outcome}" if outcome else text)
    return lines[::-1]


def _runs(ledger: Ledger, detail: Detail) -> list[str]:
    """The commands, but for an agent without tool calls, whose steps tell them too."""
    return [
        f"`{clipped(run.command, detail.line)}`{f' ({_times(run.times)})' if run.times > 1 else ''}"
        f" → {clipped(run.result, detail.line // 2) or 'no output'}"
        for run in _last([] if ledger.steps else list(ledger.runs.values()), detail.runs)
    ]


def _steps(ledger: Ledger, detail: Detail) -> list[str]:
    return [
        f"`{clipped(command, detail.line)}` → {clipped(output, detail.line)}"
        for command, output in _last(ledger.steps, detail.steps)
    ]


def _last(items: list[T], most: int) -> list[T]:
    return items[-most:] if most else []


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
