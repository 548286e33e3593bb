"""Promise 4 as a list of complaints: empty where the answer is the one that was meant, or an honest part of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gateway.testing.faults import FaultKind
from gateway.testing.models.utterance import CIRCLE
from tests.recovery.stage import Outcome

_HERE, _IN_ALL = 3, 6  # generations for one window and for one request: the policy's defaults
_CIRCLES = re.compile(f"\ufffd*(?:{CIRCLE})+")  # half a character may have come before; no saying holds the word


def complaints(outcome: Outcome, *, whole: bool) -> list[str]:
    """What is wrong with an answer. `whole`: the upstream could recover, so that nothing less than all of it will do."""
    found = [*outcome.seen.odd, *_endings(outcome), *_contents(outcome), *_cost(outcome)]
    if whole and not (is_whole(outcome) or _some_calls_will_do(outcome)):
        found.append("not whole")
    return found


def is_whole(outcome: Outcome) -> bool:
    """All that was meant has come, and the ending says so."""
    turn, seen = outcome.case.saying.turn, outcome.seen
    if seen.ends != [_clean(outcome)] or _called(outcome) != outcome.case.saying.calls:
        return False
    if _circled(outcome):
        return bool(seen.calls) or _straight(seen.text) == turn.text
    thought = turn.thinking if outcome.case.surface.tells_thoughts else ""
    return (seen.text.strip(), seen.thought.strip()) == (turn.text, thought)


def _called(outcome: Outcome) -> list[tuple[str, object]]:
    """The calls that came, without the circles in their arguments: a model that finds out of one has still said it."""
    return [
        (name, json.loads(_straight(json.dumps(arguments, ensure_ascii=False))))
        for name, arguments in outcome.seen.calls
    ]


def _circled(outcome: Outcome) -> bool:
    """The model went round in circles: a thought is then ended where it did so, a text that was sent already stays."""
    return any(strike.kind is FaultKind.LOOP for strike in outcome.case.strikes)


def _clean(outcome: Outcome) -> str:
    called = bool(outcome.seen.calls) and outcome.case.surface.openai
    return "tool_calls" if called else "stop"


def _straight(said: str) -> str:
    """Without the circles that the model went through, and the white space around."""
    return _CIRCLES.sub("", said).strip()


def _some_calls_will_do(outcome: Outcome) -> bool:
    """A turn with some of the calls is a turn of its own where nobody can know of the others.

    A server held to the schema makes one call; a parser that drops one of several leaves no trace; and where a cut call
    lacked its closers alone, it may have been the last.
    """
    seen = outcome.seen
    if not seen.calls or seen.ends != [_clean(outcome)]:
        return False
    held = any("format" in asked.body for asked in outcome.generations)
    dropped = any(strike.kind is FaultKind.DROP_CALLS for strike in outcome.case.strikes)
    return held or dropped or "mended" in seen.did


def _endings(outcome: Outcome) -> Iterator[str]:
    """One ending, and true: `length` where something is missing, an error where nothing was delivered."""
    seen = outcome.seen
    if seen.errors:
        if seen.ends or seen.marks or len(seen.errors) > 1:
            yield f"an error and then {seen.ends}, {seen.marks} marks, {len(seen.errors)} errors"
        if not seen.nothing:
            yield "an error although something was delivered"
        if seen.status == 200 and not outcome.case.surface.streams:
            yield "an error with status 200"
        return
    if len(seen.ends) != 1 or seen.marks != 1 or len(seen.usages) != 1 or len(seen.ids) > 1:
        yield f"ends {seen.ends}, {seen.marks} marks, {len(seen.usages)} usages, {len(seen.ids)} ids"
    elif seen.nothing:
        yield "nothing, and no error"
    elif seen.ends[0] != "length" and not is_whole(outcome) and not _some_calls_will_do(outcome):
        yield f"a clean end ({seen.ends[0]}) of less than all"


def _contents(outcome: Outcome) -> Iterator[str]:
    """What came is a beginning of what was meant; of the calls some may be missing, but those that came are right."""
    turn, seen = outcome.case.saying.turn, outcome.seen
    text, thought = _straight(seen.text), _straight(seen.thought)
    if not turn.text.startswith(text):
        yield f"the text goes wrong: {seen.text!r}"
    if not turn.thinking.startswith(thought):
        yield f"the thought goes wrong: {seen.thought!r}"
    if text and turn.thinking != thought and outcome.case.surface.tells_thoughts and not _circled(outcome):
        yield f"the thought was lost: {seen.thought!r}"
    called = _called(outcome)
    if [call for call in outcome.case.saying.calls if call in called] != called:
        yield f"calls that were not meant, or not in this order: {seen.calls}"


def _cost(outcome: Outcome) -> Iterator[str]:
    """At most three generations for a window and six in all, and no connection left open."""
    windows = [asked.window for asked in outcome.generations]
    if len(windows) > _IN_ALL or any(windows.count(window) > _HERE for window in windows):
        yield f"{len(windows)} generations, at the windows {windows}"
    if outcome.still_open:
        yield f"{outcome.still_open} requests still run upstream"
