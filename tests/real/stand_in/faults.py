"""What the stand-in for llama-server is told to do wrong, kept in a file that it reads at every turn and strikes out as it goes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

At = Literal["load", "prompt", "token"]
Does = Literal["exit", "kill", "status", "event", "end", "stall", "repeat"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `at`: while loading, before the first byte of an answer, or after `after` tokens of one. `does`: leave with exit code
    `code`, kill itself, answer with status `code` and body `text`, send `text` as the error event of the stream, end the
    stream without its last event, wait `seconds`, or say the last token 40 times over. Before `exit` and `kill` the text
    goes to stderr.
    """

    at: At
    does: Does
    after: int = 0
    text: str = ""
    code: int = 1
    seconds: float = 0.0
    times: int = 1


def plan(path: Path, faults: Iterable[Fault]) -> None:
    """Let these faults happen from now on; none: all is well."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps([asdict(fault) for fault in faults]))
    os.replace(draft, path)


def planned(path: Path) -> list[Fault]:
    """The faults that are still to happen."""
    return [Fault(**entry) for entry in json.loads(path.read_text())] if path.exists() else []


def take(path: Path, fits: Callable[[Fault], bool]) -> Fault | None:
    """The first planned fault that fits, struck out of the plan once it has happened `times` times."""
    faults = planned(path)
    for number, fault in enumerate(faults):
        if fits(fault):
            left = Fault(**{**asdict(fault), "times": fault.times - 1})
            plan(path, [*faults[:number], *([left] if left.times else []), *faults[number + 1 :]])
            return fault
    return None
