"""The scanner's steps find the same, whatever the pieces; they wait for what is not there yet and end with the text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.dialects.scanner import Ended, Look, Scanner, Steps
from gateway.core.dialects.tokens import tokens

T = TypeVar("T")


def run(steps: Callable[[Scanner], Steps[T]], text: str, size: int, *, cut: bool = False) -> tuple[T | str, str]:
    """What the steps give, or "ended", and the text that they left."""
    scanner = Scanner()
    scanner.hold()
    outcome: list[T | str] = []

    def driven() -> Generator[None, None, None]:
        try:
            outcome.append((yield from steps(scanner)))
        except Ended:
            outcome.append("ended")

    running = driven()
    next(running, None)
    for at in range(0, len(text), size):
        if scanner.feed(text[at : at + size]) and not outcome:
            next(running, None)
    scanner.end(cut=cut)
    if not outcome:
        next(running, None)
    return outcome[0], scanner.unread(scanner.offset)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("steps", "text", "outcome", "left"),
    [
        (lambda s: s.find(tokens("</p>", "</q>")), "a < b </pp </q> z", "</q>", " z"),
        (lambda s: s.find(tokens("```", "```json")), "x ```json {", "```json", " {"),
        (lambda s: s.find(tokens("```", "```json")), "x ```js {", "```", "js {"),
        (lambda s: s.find(tokens("bash", "<bash>")), "<bash>", "<bash>", ""),
        (lambda s: s.find(tokens("</p>")), "a </", "ended", "</"),
        (lambda s: s.token(tokens("ab", "abc")), "abd", "ab", "d"),
        (lambda s: s.token(tokens("ab")), "xab", "", "xab"),
        (lambda s: s.blanks(), " \n\tx", None, "x"),
        (lambda s: s.look(tokens("{")), " \n {a", Look("{", 4), " \n {a"),
        (lambda s: s.look(tokens("{")), " \n a", Look("", 3), " \n a"),
        (lambda s: s.look(tokens("</f>")), "\n</f", Look("", 1, "</f"), "\n</f"),
        (lambda s: s.look(tokens("{")), "", Look("", 0, ""), ""),
        (lambda s: s.short(tokens(">")), "name>rest", ("name", ">"), "rest"),
        (lambda s: s.short(tokens(">"), 3), "names>rest", None, "names>rest"),
        (lambda s: s.ahead(1, 3), "abcdef", "bcd", "abcdef"),
        (lambda s: s.ahead(1, 9), "abc", "bc", "abc"),
        (lambda s: s.string('"'), r'a\"b\\" c', None, " c"),
        (lambda s: s.string('"'), "a\\", "ended", "\\"),
        (lambda s: s.brackets(), '{"a}": [1, {"b": "]"}]} x', True, " x"),
        (lambda s: s.brackets(("<end>",)), '{"a": "<end>" <end> x', False, "<end> x"),
        (lambda s: s.brackets(), '{"a": [1', "ended", ""),
    ],
)
def test_steps(steps: Callable[[Scanner], Steps[object]], text: str, outcome: object, left: str, size: int) -> None:
    assert run(steps, text, size) == (outcome, left)


def test_a_look_over_too_many_blanks_is_no_layout() -> None:
    outcome, _ = run(lambda s: s.look(tokens("{")), " " * 3_000 + "{", 16)
    assert isinstance(outcome, Look)
    assert outcome.found == ""


def test_held_text_can_be_had_again() -> None:
    def steps(scanner: Scanner) -> Steps[tuple[str, str]]:
        start = scanner.offset
        yield from scanner.find(tokens("|"))
        first = scanner.since(start)
        scanner.rewind(start)
        yield from scanner.find(tokens("."))
        return first, scanner.since(start)

    for size in (1, 4, 100):
        assert run(steps, "one|two.three", size) == (("one|", "one|two."), "three")


def test_what_stands_before_held_text_is_known_after_going_back() -> None:
    def steps(scanner: Scanner) -> Steps[str]:
        yield from scanner.find(tokens("|"))
        scanner.hold()
        start = scanner.offset
        yield from scanner.find(tokens("."))
        scanner.rewind(start)
        return scanner.before()

    for size in (1, 2, 4, 100):
        assert run(steps, "one|two.three", size) == ("|", "two.three")


@given(st.text(alphabet='a"\\', max_size=30), st.integers(1, 5))
def test_the_end_of_a_string_is_where_json_has_it(inside: str, size: int) -> None:
    """The pieces that are put aside unseen hold no end of it."""
    at, escaped = 0, False
    for at, mark in enumerate(inside):  # noqa: B007
        if mark == '"' and not escaped:
            break
        escaped = mark == "\\" and not escaped
    else:
        at = -1
    outcome, left = run(lambda s: s.string('"'), inside, size)
    assert (outcome, left) == ((None, inside[at + 1 :]) if at >= 0 else ("ended", left))


@pytest.mark.parametrize("wanted", [("</p>", "</q>", "<p>"), ("<p>q</", "<p>qp"), ("p<p<p<", "ppq")])
@given(text=st.text(alphabet="<>/pq", max_size=60), size=st.integers(1, 7))
def test_a_token_is_found_where_it_first_stands(wanted: tuple[str, ...], text: str, size: int) -> None:
    first = (
        min((text.find(token), token) for token in wanted if token in text) if any(t in text for t in wanted) else None
    )
    outcome, left = run(lambda s: s.find(tokens(*wanted)), text, size)
    if first is None:
        assert outcome == "ended"
    else:
        assert (outcome, left) == (first[1], text[first[0] + len(first[1]) :])
