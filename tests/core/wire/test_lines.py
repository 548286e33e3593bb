"""Lines and events out of any chunking, bounded and linear."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.wire import lines
from gateway.core.wire.lines import Events, Lines, LineTooLong
from tests.core.wire.json_values import chunked, cuts

UNTIMED = settings(deadline=None)  # a busy machine is no failure


def lines_of(chunks: list[bytes]) -> list[bytes]:
    stage = Lines()
    return [line for chunk in chunks for line in stage.feed(chunk)] + list(stage.close())


def events_of(chunks: list[bytes]) -> list[bytes]:
    stage = Events()
    return [event for chunk in chunks for event in stage.feed(chunk)] + list(stage.close())


@UNTIMED
@given(st.text("ab\r\n:", max_size=30), cuts)
def test_lines_are_the_same_however_they_came(text: str, places: list[int]) -> None:
    data = text.encode()
    expected = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    assert lines_of(chunked(data, places)) == (expected if expected[-1] else expected[:-1])


@UNTIMED
@given(
    st.lists(
        st.sampled_from(["data: a", "data:b", "data", ": c", "event: x", "", "\r", "error: e", "id: 1"]), max_size=9
    ),
    cuts,
)
def test_events_are_the_same_however_they_came(said: list[str], places: list[int]) -> None:
    data = "\n".join(said).encode()
    assert events_of(chunked(data, places)) == events_of([data]) == events_of([data.replace(b"\r", b"")])


def test_what_counts_as_an_event() -> None:
    stream = (
        b": ping\n\nevent: x\ndata: one\nid: 3\n\ndata: two\ndata:  three\n\n\n\nretry: 5\n\nerror: {}\n\ndata: four"
    )
    assert events_of([stream]) == [b"one", b"two\n three", b'{"error": {}}', b"four"]


def test_a_line_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 100)
    stage = Lines()
    assert list(stage.feed(b"x" * 100)) == []
    with pytest.raises(LineTooLong):
        list(stage.feed(b"x"))
