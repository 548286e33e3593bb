"""Blanks around thoughts and calls are layout; a call in doubt waits for what comes behind it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.dialects.line import Line, Stretch
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


MARKED = st.text("ab1.)-*+> `\n\t", max_size=30)


@given(pieces=st.lists(MARKED, max_size=8))
def test_a_line_is_the_same_from_all_pieces_and_in_passing(pieces: list[str]) -> None:
    """Backticks stay together: three of them are a marker, so that fewer are held until it is known how many come."""
    pieces = [piece.strip("`") for piece in pieces]
    whole = Line()
    whole.say("".join(pieces))
    for flows in (False, True):
        page = Page()
        page.say("x\n")
        page.line = Line()
        for piece in pieces:
            if flows:
                page.flow(Stretch.of(piece))
            else:
                page.say(piece)
        assert (page.line.lead, page.line.code) == (whole.lead, whole.code)


def test_what_a_line_begins_with() -> None:
    for lead in ("", "  ", "- ", "* ", "1. ", "10) ", "> ", ">", "  - > ", "- 2. "):
        line = Line()
        line.say("text\n" + lead)
        assert line.begins_block
        assert line.blank == (not lead.strip())
        assert line.quoted == (not re.search(r"[^> ]", lead))
    for said in ("x", "- x", "-", "+", "12", "1.", "a. ", "x> ", "-- "):
        line = Line()
        line.say(said)
        assert not line.begins_block


def test_code_on_a_line() -> None:
    for said, code in (
        ("`x", "`"),
        ("`x` y", ""),
        ("``a ` b", "``"),
        ("`x\ny", ""),
        ("a ` b ` c `", "`"),
        ("``x``", ""),
    ):
        line = Line()
        line.say(said)
        assert line.code == code
