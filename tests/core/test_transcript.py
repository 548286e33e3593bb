"""The transcript: what a continuation goes on from, as the model would have written it."""

from __future__ import annotations

from gateway.core.transcript import ThinkTags, Transcript

TAGS = ThinkTags()


def test_text_alone_is_itself() -> None:
    transcript = Transcript()
    transcript.add_text("Hel")
    transcript.add_text("lo")
    assert transcript.raw(TAGS, opened=False) == "Hello"
    assert transcript.size == 5


def test_a_thought_is_wrapped_as_the_template_writes_it() -> None:
    transcript = Transcript()
    transcript.add_thought("2+2")
    assert transcript.raw(TAGS, opened=False) == "<think>\n2+2"
    assert transcript.raw(TAGS, opened=True) == "2+2"
    transcript.add_text("4")
    assert transcript.raw(TAGS, opened=False) == "<think>\n2+2\n</think>\n\n4"


def test_an_opened_thought_that_held_nothing_is_closed_before_the_text() -> None:
    transcript = Transcript()
    transcript.add_text("4")
    assert transcript.raw(TAGS, opened=True) == "\n</think>\n\n4"


def test_verbatim_text_counts_before_what_was_parsed() -> None:
    transcript = Transcript()
    transcript.add_text("parsed")
    transcript.continue_raw("parsed")
    transcript.add_raw(" and on")
    assert transcript.verbatim
    assert transcript.raw(TAGS, opened=True) == "parsed and on"
    assert transcript.size == len("parsed and on")
