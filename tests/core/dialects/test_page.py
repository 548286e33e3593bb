"""Blanks around thoughts and calls are layout; a call in doubt waits for what comes behind it."""

from __future__ import annotations

from gateway.core.dialects.page import Page
from gateway.core.stream import Call, Reasoning, Text, Unreadable

CALL = Call(id="", name="f", arguments="{}")


def test_blanks_before_a_call_are_layout_and_before_text_are_text() -> None:
    page = Page()
    page.say("\n  ")
    page.say("x\n\n")
    page.add(CALL)
    page.say("\n")
    page.add(CALL)
    page.say("\n y")
    assert page.take() == [Text("\n  x\n\n"), CALL, CALL, Text("\n y")]
    assert page.take() == []


def test_a_thought_goes_out_without_the_blanks_around_it() -> None:
    page = Page()
    page.begin_thought()
    for piece in ("\n", " a", " \n", "b ", "\n"):
        page.think(piece)
    page.end_thought()
    page.say("\n\n  code")
    assert page.take() == [Reasoning("a"), Reasoning(" \nb"), Text("  code")]


def test_what_is_quiet_and_what_begins_a_line() -> None:
    def place() -> tuple[bool, bool]:
        return page.quiet, page.new_line

    page = Page()
    assert place() == (True, True)
    page.say("a\n  ")
    assert place() == (False, True)
    page.say("b")
    assert place() == (False, False)
    page.add(CALL)
    assert place() == (True, True)


def test_a_call_in_doubt_stands_when_it_is_settled_and_its_text_with_it() -> None:
    page = Page()
    page.doubt(CALL)
    page.say("\nDone.")
    assert page.take() == []
    page.settle()
    assert page.take() == [CALL, Text("\nDone.")]


def test_a_call_in_doubt_falls_with_all_behind_it() -> None:
    page = Page()
    page.doubt(CALL)
    page.behind("<call>")
    page.skip("</x>")
    page.say(" more ")
    page.retract("</p>")
    page.say("\n")
    [fallen] = page.take()
    assert isinstance(fallen, Unreadable)
    assert fallen.raw == "<call></x> more </p>"


def test_calls_that_were_put_aside_may_be_dropped() -> None:
    page = Page()
    page.say("See: ")
    page.set_aside()
    page.add(CALL)
    page.take_back(keep=False)
    page.set_aside()
    page.add(CALL)
    page.take_back(keep=True)
    assert page.take() == [Text("See: "), CALL]
