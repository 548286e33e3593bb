from __future__ import annotations

import pytest

from gateway.core.compaction.marks import clipped, lines_of, mark, marked, one_line


def test_a_mark_is_seen_and_only_a_mark() -> None:
    assert mark("3 lines cleared") == "[holdfast: 3 lines cleared]"
    assert marked(f"before {mark('x')} after")
    assert not marked("holdfast: the distribution; [holdfast] its logger")


@pytest.mark.parametrize(
    ("text", "chars", "line"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("one\n  two\tthree", 100, "one two three"),
        ("abcdefghij", 4, "abcd…"),
        ("abc", 0, ""),
        ("", 5, ""),
        ("x" + " " * 40 + "y" * 40, 20, "x " + "y" * 18 + "…"),
    ],
)
def test_one_line(text: str, chars: int, line: str) -> None:
    assert one_line(text, chars) == line


def test_clipping_keeps_what_fits() -> None:
    assert clipped("a b", 3) == "a b"
    assert clipped("a bc", 3) == "a b…"


@pytest.mark.parametrize(("text", "words"), [("a", "1 line"), ("a\nb", "2 lines"), ("a\n" * 2000, "2,000 lines")])
def test_lines_are_counted_in_words(text: str, words: str) -> None:
    assert lines_of(text) == words
