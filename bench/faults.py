"""What a client sees of each fault of an upstream, and what it costs: `python -m bench.faults [--brief] [--markdown] [ROW …]`.

A simulated upstream, the real gateway with its defaults, a client that streams and one that does not. Exit status 1: a row
breaks a promise. All rows run side by side; the longest waits take six minutes, `--brief` leaves those rows out.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog

from gateway.core.policy import Policy
from gateway.testing.faults import FaultKind as F
from gateway.testing.generations import NEW, OLD, Generation
from gateway.testing.models.model import FAMILIES
from gateway.testing.script import ToolUse, Turn, says
from tests.recovery.judging import complaints, is_whole
from tests.recovery.saying import LOOK, SAYINGS, TOOLS, Saying
from tests.recovery.stage import Case, Outcome, Stage, Strike
from tests.recovery.surfaces import SURFACES, Surface

NAMED = {saying.name: saying for saying in SAYINGS}
TEXT, CALL = NAMED["text"], NAMED["text and call"]
STREAM, WHOLE = SURFACES[:2]
FOR_EVER = None
CLIMBS = 6  # generations, where the ladder of windows is climbed
AT_ONCE = asyncio.Semaphore(3)

MISNAMED = says("", ToolUse("execute", LOOK.arguments))
STRINGS = Turn(
    raw="<tool_call>\n<function=run>\n<parameter=command>\nls\n</parameter>\n<parameter=timeout>\nsoon\n</parameter>\n"
    "</function>\n</tool_call>"
)
RIGHT = Saying(name="a call", turn=says("", LOOK), tools=TOOLS)
QUOTED = Turn(
    raw='<tool_call>\n{"name": "run", "arguments": {"command": "ls", "timeout": "300"}}\n</tool_call>',
    calls=(ToolUse("run", {"command": "ls", "timeout": 300}),),
)
FENCED = Turn(
    raw='```json\n{"name": "run", "arguments": {"command": "ls", "timeout": 300}}\n```',
    calls=(ToolUse("run", {"command": "ls", "timeout": 300}),),
)
XML_ERROR = "XML syntax error on line 7: element <function> closed by </parameter>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault, and what is promised: `whole` answers where it passes, else at most `most` generations and an honest end."""

    name: str
    saying: Saying = TEXT
    strikes: tuple[Strike, ...] = ()
    astray: tuple[Turn, ...] = ()
    strays: bool = False
    family: str = "qwen3-coder"
    generation: Generation = NEW
    driver: Literal["ollama", "openai"] = "ollama"
    whole: bool = True
    most: int = 3
    slow: bool = False
    lacks: int = 0
    """Bytes that are missing at the end of each body."""

    def case(self) -> Case:
        return Case(saying=self.saying, strikes=self.strikes, astray=self.astray, strays=self.strays)


@dataclass(slots=True)
class Played:
    """A row as it went: with a client that streams, and with one that does not."""

    row: Row
    outcomes: list[Outcome]
    seconds: list[float]

    @property
    def generations(self) -> int:
        return max(len(outcome.generations) for outcome in self.outcomes)

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        found = [each for outcome in self.outcomes for each in complaints(outcome, whole=self.row.whole)]
        if self.generations > self.row.most:
            found.append(f"{self.generations} generations, {self.row.most} at most")
        return found


def both(name: str, kind: F, *, at: int = 0, seconds: float = 0.8, slow: bool = False, **more: object) -> Iterator[Row]:
    """A fault that passes, and the same for ever."""
    row = replace(Row(name=name), **more)  # type: ignore[arg-type]
    status, text = (400, "") if kind is F.OVERFLOW else (500, XML_ERROR if kind is F.PARSER_FAILS else "")
    strike = Strike(kind=kind, at=at, seconds=seconds, status=status, text=text)
    yield replace(row, name=f"{name}, once", strikes=(strike,), slow=slow, most=3)
    yield replace(row, name=f"{name}, for ever", strikes=(replace(strike, times=FOR_EVER),), slow=slow, whole=False)


def rows() -> Iterator[Row]:
    """The table of issue 7, and what belongs to it."""
    yield Row(name="no fault", most=1)
    yield Row(name="no fault, a call", saying=CALL, most=1)
    yield from both("500 out of memory before the first token", F.GONE_MEMORY, most=CLIMBS)
    yield from both("out of memory at token 40", F.OUT_OF_MEMORY, at=40, most=CLIMBS)
    yield from both("out of memory while it loads", F.LOAD_MEMORY, most=CLIMBS)
    yield Row(
        name="out of memory with more than 4,096 tokens of window",
        strikes=(Strike(kind=F.LOAD_MEMORY, at=4096, times=FOR_EVER),),
        most=CLIMBS,
    )
    yield from both("runner gone before the first token", F.GONE)
    yield from both("runner killed at token 40", F.CRASH, at=40)
    yield from both("runner killed inside a call", F.CRASH, at=60, saying=CALL)
    yield from both("runner killed while it loads", F.LOAD_KILLED, most=CLIMBS)
    yield from both("reset before any byte", F.RESET, at=-1)
    yield from both("reset at token 0", F.RESET_AT_TOKEN)
    yield from both("reset at token 40", F.RESET_AT_TOKEN, at=40)
    yield from both("end without done", F.SILENT_END, at=40)
    yield from both("/v1: end without finish reason", F.SILENT_END, at=40, driver="openai")
    yield Row(name="/v1: end without [DONE]", driver="openai", lacks=len("data: [DONE]\n\n"), most=1)
    yield from both("/v1: error in the stream", F.CRASH, at=40, driver="openai")
    yield from both("/v1: reset inside a call", F.RESET_AT_TOKEN, at=60, driver="openai", saying=CALL, family="raw-xml")
    yield from both("compute error in the stream", F.COMPUTE_ERROR, at=40)
    yield from both("one malformed event at token 40", F.MALFORMED, at=40)
    yield from both("stall at token 40", F.STALL, at=40, seconds=900.0, slow=True)
    yield Row(name="8 s to the first token", strikes=(Strike(kind=F.SLOW_PROMPT, seconds=8.0),), most=1)
    yield Row(name="330 s to the first token", strikes=(Strike(kind=F.SLOW_PROMPT, seconds=330.0),), most=1, slow=True)
    yield from both("400 overflow, nothing to compact", F.OVERFLOW, most=1, whole=False)
    yield from both("503 queue full", F.QUEUE_FULL)
    yield Row(name="tool call as XML text", saying=CALL, family="raw-xml", most=1)
    yield Row(
        name="tool call in a fence",
        saying=Saying(name="fence", turn=FENCED, tools=TOOLS),
        family="qwen2.5-coder",
        most=1,
    )
    yield Row(
        name="number written as text",
        saying=Saying(name="types", turn=QUOTED, tools=TOOLS),
        family="qwen2.5-coder",
        most=1,
    )
    yield from both("parser of the server fails", F.PARSER_FAILS, saying=CALL)
    yield Row(
        name="0.24.0: parser fails, then the runner hangs",
        saying=CALL,
        strikes=(Strike(kind=F.PARSER_FAILS, text=XML_ERROR), Strike(kind=F.WEDGE)),
        generation=OLD,
        slow=True,
    )
    yield from both("parser of the server drops the call", F.DROP_CALLS, saying=CALL)
    yield from both("call cut by a limit", F.CAP, at=60, saying=CALL)
    yield Row(name="unknown tool, once", saying=RIGHT, astray=(MISNAMED,))
    yield Row(name="unknown tool, for ever", saying=RIGHT, astray=(MISNAMED,), strays=True, whole=False)
    yield Row(name="wrong type, once", saying=RIGHT, astray=(STRINGS,))
    yield Row(name="wrong type, for ever", saying=RIGHT, astray=(STRINGS,), strays=True, whole=False)
    yield from both("text in a circle at token 40", F.LOOP, at=40, whole=False)


async def play(row: Row, state: Path) -> Played:
    """Both clients of a row, each before a gateway of its own."""
    met = await asyncio.gather(*(meet(row, surface, state) for surface in (STREAM, WHOLE)))
    return Played(row, [outcome for outcome, _ in met], [seconds for _, seconds in met])


async def meet(row: Row, surface: Surface, state: Path) -> tuple[Outcome, float]:
    """What one client gets, and after how many seconds."""
    home = state / f"{row.name.replace('/', '')} {surface.name}"
    async with Stage(FAMILIES[row.family], row.generation, home, Policy(), driver=row.driver) as stage:
        case = replace(row.case(), surface=surface)
        if row.lacks:
            body = (await stage.play(case)).body
            case = replace(case, strikes=(Strike(kind=F.END, at=body - row.lacks, times=FOR_EVER),))
        began = time.monotonic()
        outcome = await stage.play(case)
        return outcome, time.monotonic() - began


async def in_turn(row: Row, state: Path) -> Played:
    """Rows that only wait do so side by side; of the others three at a time, so that their seconds are their own."""
    if row.slow:
        return await play(row, state)
    async with AT_ONCE:
        return await play(row, state)


def saw(outcome: Outcome) -> str:
    """What a client makes of its answer."""
    seen = outcome.seen
    did = f" ({', '.join(seen.did)})" if seen.did else ""
    if seen.errors:
        after = "an error" if seen.status == 200 else f"{seen.status}"
        return f"{after}: {code_of(seen.errors[0])}{did}"
    what = "all" if is_whole(outcome) else "a call" if seen.calls else "the beginning"
    return f"{what}, `{'+'.join(seen.ends)}`{did}"


def code_of(error: str) -> str:
    """The code in an error, as the client reads it."""
    found = re.search(r'"code": ?"(\w+)"', error)
    return f"`{found[1]}`" if found else error[:60]


def table(played: Sequence[Played], *, markdown: bool) -> Iterator[str]:
    cells: list[tuple[str, ...]] = [
        ("upstream", "client that streams", "client that does not", "generations", "seconds", "")
    ]
    for each in played:
        seconds = f"{max(each.seconds):.1f}"
        verdict = "; ".join(each.broken) or "kept"
        cells.append((each.row.name, *map(saw, each.outcomes), str(each.generations), seconds, verdict))
    widths = [max(len(row[column]) for row in cells) for column in range(6)]
    for number, row in enumerate(cells):
        line = " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {line} |" if markdown else line.rstrip()
        if number == 0:
            yield "|---" * 6 + "|" if markdown else "-" * len(line)


async def main(arguments: Sequence[str]) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # the upstream's complaints about connections that it cuts
    wanted = [word for word in arguments if not word.startswith("--")]
    chosen = [
        row for row in rows() if all(word in row.name for word in wanted) and not ("--brief" in arguments and row.slow)
    ]
    with tempfile.TemporaryDirectory() as state:
        played = await asyncio.gather(*(in_turn(row, Path(state)) for row in chosen))
    print("\n".join(table(played, markdown="--markdown" in arguments)))
    broken = [each.row.name for each in played if each.broken]
    print(f"\n{len(played)} rows, {len(broken)} of them break a promise" + "".join(f"\n  {name}" for name in broken))
    return bool(broken)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
