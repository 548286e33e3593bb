"""Contents can be read back for an hour, and never take more room than they may."""

from __future__ import annotations

from gateway.core.conversation import Message, Prose
from gateway.core.kept import Discarded, Replaced
from gateway.telemetry.contents import Contents


def said(text: str) -> Message:
    return Message(role="user", content=(Prose(text),))


def test_what_was_replaced_comes_back_as_it_came() -> None:
    contents = Contents(lambda: 0.0)
    contents.keep("r", Replaced(((3, said("the old output")),)))
    contents.keep("r", Discarded(attempt=1, text="half an answ", thought="so"))
    assert contents.of("r") == {
        "replaced": [{"index": 3, "message": {"role": "user", "content": "the old output"}}],
        "discarded": [{"attempt": 1, "text": "half an answ", "reasoning": "so"}],
    }
    assert contents.of("other") == {"replaced": [], "discarded": []}


def test_it_is_gone_after_its_time() -> None:
    now = [0.0]
    contents = Contents(lambda: now[0], seconds=3600)
    contents.keep("r", Discarded(attempt=1, text="x", thought=""))
    now[0] = 3600.0
    assert contents.of("r")["discarded"]
    now[0] = 3600.1
    assert not contents.of("r")["discarded"]


def test_the_oldest_request_gives_way() -> None:
    contents = Contents(lambda: 0.0, most=100)
    for name in "abc":
        contents.keep(name, Discarded(attempt=1, text=name * 40, thought=""))
    assert [bool(contents.of(name)["discarded"]) for name in "abc"] == [False, True, True]
    contents.keep("d", Discarded(attempt=1, text="d" * 101, thought=""))
    assert [bool(contents.of(name)["discarded"]) for name in "bcd"] == [True, True, False]
