"""Stop sequences: the first to be complete ends the text, however it was cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.stops import StopMatcher

UNTIMED = settings(deadline=None)  # a busy machine is no failure

texts = st.text("abc", max_size=20)
stops = st.lists(st.text("abc", min_size=1, max_size=4), max_size=3).map(tuple)


def shown(stops: tuple[str, ...], pieces: list[str]) -> tuple[str, bool]:
    matcher = StopMatcher(stops)
    text = "".join(matcher.feed(piece) for piece in pieces)
    return text + matcher.close(), matcher.hit


def reference(stops: tuple[str, ...], text: str) -> tuple[str, bool]:
    """Character by character; of two that are complete at once the longer counts."""
    for end in range(1, len(text) + 1):
        if complete := [stop for stop in stops if text[:end].endswith(stop)]:
            return text[: end - max(map(len, complete))], True
    return text, False


@UNTIMED
@given(stops, st.lists(texts, max_size=6))
def test_any_pieces_give_what_characters_give(stops: tuple[str, ...], pieces: list[str]) -> None:
    assert shown(stops, pieces) == reference(stops, "".join(pieces))


@UNTIMED
@given(stops, st.lists(texts, max_size=6))
def test_nothing_is_held_that_could_not_begin_a_stop(stops: tuple[str, ...], pieces: list[str]) -> None:
    matcher, given_text, out = StopMatcher(stops), "", ""
    for piece in pieces:
        given_text += piece
        out += matcher.feed(piece)
        if matcher.hit:
            return
        held = given_text.removeprefix(out)
        assert given_text == out + held
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


@pytest.mark.parametrize(
    ("stops", "pieces", "text"),
    [
        (("###",), ["a#", "#b", "##", "#c"], "a##b"),
        (("abcd", "c"), ["abcd"], "ab"),
        (("abcd", "c"), ["ab", "cd"], "ab"),
        (("\n\n",), ["one\n", "\ntwo"], "one"),
        ((), ["a", "b"], "ab"),
        (("", ""), ["a"], "a"),
        (("x",), ["ax", "b", "c"], "a"),
    ],
)
def test_cases(stops: tuple[str, ...], pieces: list[str], text: str) -> None:
    assert shown(stops, pieces)[0] == text


def test_a_hit_lasts_and_closing_twice_gives_nothing_more() -> None:
    matcher = StopMatcher(("END",))
    assert (matcher.feed("aEN"), matcher.close(), matcher.close()) == ("a", "EN", "")
    matcher = StopMatcher(("END",))
    assert (matcher.feed("aEND b"), matcher.feed("c"), matcher.close(), matcher.hit) == ("a", "", "", True)
