"""The task that is asked for where answers are cut: a file is read, written anew as a whole, and checked, so that half a call is half a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.testing.agent_scripts import EditTask, declared, editing, fill
from gateway.testing.ask import Ask
from gateway.testing.script import Script, ToolUse, Turn, says

BEFORE = '''"""Prices of the shop."""

RATES = {"book": 7, "toy": 19}


def total(prices):
    """The sum of all prices."""
    return sum(prices) - 1


def with_tax(price, kind):
    """The price with the tax of its kind, in cents; <b> & </b> stand for themselves."""
    return price + price * RATES[kind] // 100


def cheapest(prices):
    """The lowest price, or nothing where there is none."""
    return min(prices) if prices else None
'''
TASK = EditTask(
    path="shop.py",
    before=BEFORE,
    old="    return sum(prices) - 1",
    new="    return sum(prices)",
    check='python3 -c "import shop; assert shop.total([1, 2]) == 3; assert shop.cheapest([2, 1]) == 1"',
)
PROMPT = "Fix the sum in shop.py and check it."


def new_project(folder: Path) -> Path:
    """A folder with the file in it."""
    folder.mkdir(parents=True)
    (folder / TASK.path).write_text(TASK.before)
    return folder


def rewriting(task: EditTask = TASK) -> Script:
    """As `editing`, but the change is one `write` of the whole file, in the tools that the client offers."""
    otherwise = editing(task)

    def choose(ask: Ask) -> Turn:
        write = declared(ask, "write") if ask.tools else None
        if write and len(ask.said_by("tool")) == 1:
            return says("Now I write the file.", write_call(write, task))
        return otherwise(ask)

    return choose


def write_call(function: Mapping[str, object], task: EditTask = TASK) -> ToolUse:
    return fill(function, path=task.place, content=task.after)


def state_of(project: Path) -> str:
    """What became of the file: `right`, `untouched`, or `BROKEN`."""
    path = project / TASK.path
    text = path.read_text() if path.exists() else ""
    return {TASK.after: "right", TASK.before: "untouched"}.get(text, "BROKEN")
