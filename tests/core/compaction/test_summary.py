from __future__ import annotations

import pytest

from gateway.core.compaction.marks import mark
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.summary import HEADINGS, REQUEST, asking, flaw, worthwhile
from gateway.core.conversation import Message, Prose

GOOD = "\n".join(f"{heading}\n- a point" for heading in HEADINGS)
ANSWER = Message(role="assistant", content=(Prose("Done."),))
QUESTION = Message(role="user", content=(Prose("Now?"),))


def test_the_request_follows_the_unchanged_prompt() -> None:
    assert asking([QUESTION, ANSWER]) == (QUESTION, ANSWER, Message(role="user", content=(Prose(REQUEST),)))


def test_after_a_user_the_request_is_joined() -> None:
    [first, last] = asking([ANSWER, QUESTION])
    assert first == ANSWER
    assert (last.role, last.text) == ("user", f"Now?\n\n{REQUEST}")


def test_the_request_names_every_heading() -> None:
    assert all(heading in REQUEST for heading in HEADINGS)


def test_a_good_summary_has_no_flaw() -> None:
    assert flaw(GOOD) is None
    assert flaw(f"Here it is.\n{GOOD}") is None


@pytest.mark.parametrize(
    ("text", "calls", "reason"),
    [
        (GOOD, 1, "it calls a tool"),
        ("  \n", 0, "it is empty"),
        (GOOD.replace("## Done", "Done"), 0, "the heading '## Done' is missing"),
        ("\n".join(reversed(GOOD.splitlines())), 0, "its headings are out of order"),
        (f"{GOOD}\n{mark('3 lines cleared')}", 0, "it copies the gateway's marks"),
    ],
)
def test_a_bad_one_is_told_apart(text: str, calls: int, reason: str) -> None:
    assert flaw(text, calls=calls) == reason


def test_summaries_are_off_by_default_and_in_small_windows() -> None:
    on = CompactionRules(summary=True)
    assert not worthwhile(CompactionRules(), 100_000)
    assert [worthwhile(on, window) for window in (16_384, 24_576, 32_768)] == [False, True, True]
