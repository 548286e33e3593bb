"""Promise 4 as a list of complaints: empty where the answer is the one that was meant, or an honest part of it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recovery.saying import SAYINGS
from tests.recovery.stage import Outcome

_HERE, _IN_ALL = 3, 6  # generations for one window and for one request: the policy's defaults


def complaints(outcome: Outcome, *, whole: bool) -> list[str]:
    """What is wrong with an answer. `whole`: the upstream could recover, so that nothing less than all of it will do."""
    found = [*outcome.seen.odd, *_endings(outcome), *_contents(outcome), *_cost(outcome)]
    if whole and not is_whole(outcome):
        found.append("not whole")
    return found


def is_whole(outcome: Outcome) -> bool:
    turn, seen = SAYINGS[outcome.case.saying].turn, outcome.seen
    meant = [(use.name, use.arguments) for use in turn.calls]
    same = (seen.text.strip(), seen.thought.strip(), seen.calls) == (turn.text, turn.thinking, meant)
    return same and seen.ends == [_end(outcome)]


def _end(outcome: Outcome) -> str:
    called = bool(outcome.seen.calls) and outcome.case.surface.startswith("openai")
    return "tool_calls" if called else "stop"


def _endings(outcome: Outcome) -> Iterator[str]:
    """One ending, and true: `length` where something is missing, an error where nothing was delivered."""
    seen = outcome.seen
    if seen.errors:
        if seen.ends or seen.marks or len(seen.errors) > 1:
            yield f"an error and then {seen.ends}, {seen.marks} marks, {len(seen.errors)} errors"
        if not seen.nothing:
            yield "an error although something was delivered"
        if seen.status == 200 and outcome.case.surface in ("openai", "native"):
            yield "an error with status 200"
        return
    if len(seen.ends) != 1 or seen.marks != 1 or len(seen.usages) != 1 or len(seen.ids) > 1:
        yield f"ends {seen.ends}, {seen.marks} marks, {len(seen.usages)} usages, {len(seen.ids)} ids"
    elif seen.nothing:
        yield "nothing, and no error"
    elif seen.ends[0] != "length" and not is_whole(outcome):
        yield f"a clean end ({seen.ends[0]}) of less than all"


def _contents(outcome: Outcome) -> Iterator[str]:
    """What came is a beginning of what was meant; of the calls some may be missing, but those that came are right."""
    turn, seen = SAYINGS[outcome.case.saying].turn, outcome.seen
    meant = [(use.name, use.arguments) for use in turn.calls]
    if not turn.text.startswith(seen.text.strip()):
        yield f"the text goes wrong: {seen.text!r}"
    if not turn.thinking.startswith(seen.thought.strip()):
        yield f"the thought goes wrong: {seen.thought!r}"
    if seen.text.strip() and turn.thinking != seen.thought.strip():
        yield f"the thought was lost: {seen.thought!r}"
    if [call for call in meant if call in seen.calls] != seen.calls:
        yield f"calls that were not meant, or not in this order: {seen.calls}"


def _cost(outcome: Outcome) -> Iterator[str]:
    """At most three generations for a window and six in all, and no connection left open."""
    windows = [asked.window for asked in outcome.generations]
    if len(windows) > _IN_ALL or any(windows.count(window) > _HERE for window in windows):
        yield f"{len(windows)} generations, at the windows {windows}"
    if outcome.still_open:
        yield f"{outcome.still_open} requests still run upstream"
