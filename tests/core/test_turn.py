"""One turn over several attempts: what was sent stays, what was whole is kept, what is uncertain is not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from gateway.core.plan import Mode
from gateway.core.policy.circles import CircleRules
from gateway.core.stream import Call, CallPiece, Part, Proof, Reasoning, Stop, StopReason, Text, Verbatim
from gateway.core.turn import Circling, Turn

A = Call(id="", name="a", arguments="{}")
B = Call(id="", name="b", arguments="{}")
CUT = Call(id="", name="c", arguments='{"x": "ha', proof=Proof.UNPROVEN)


@dataclass(slots=True)
class Plain:
    """A reader of a dialect without markers, but that `[A]` is a call; a `[` is held until it is certain."""

    held: str = ""
    open_call: object | None = None
    shown: list[str] = field(default_factory=list)

    def feed(self, text: str) -> Iterator[Part]:
        text, self.held = self.held + text, ""
        before, bracket, rest = text.partition("[")
        if before:
            yield Text(before)
        if bracket and "]" in rest:
            yield A
            yield from self.feed(rest.partition("]")[2])
        elif bracket:
            self.held = bracket + rest

    def close(self) -> Iterator[Part]:
        return self.cut()

    def cut(self) -> Iterator[Part]:
        if self.held:
            yield Text(self.held)


def turn(**more: object) -> Turn:
    return Turn(reader=lambda _: Plain(), **more)  # type: ignore[arg-type]


def said(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def test_what_might_have_become_a_call_is_text_at_a_true_end_only() -> None:
    whole, broken = turn(), turn()
    for each in (whole, broken):
        assert said(each.receive([Text("so [1")])) == "so "
    assert said(whole.finish(natural=True)) == "[1"
    assert said(broken.give_up()) == ""
    assert broken.shown_text == "so "


def test_a_replay_is_shown_from_where_it_goes_further() -> None:
    made = turn()
    assert said(made.receive([Text("one two")])) == "one two"
    made.begin(Mode.REPLAY)
    assert said(made.receive([Text("one ")])) == ""
    assert said(made.receive([Text("two three")])) == " three"
    assert made.shown_text == "one two three"
    assert not made.damage().diverged


def test_of_a_replay_that_says_otherwise_only_calls_count() -> None:
    made = turn()
    list(made.receive([Text("one two")]))
    made.begin(Mode.REPLAY)
    assert said(made.receive([Text("one or two [A]"), Stop(StopReason.STOP)])) == ""
    assert made.damage().diverged
    assert made.calls == [A]


@pytest.mark.parametrize("sends", [True, False])
def test_whole_calls_of_an_earlier_attempt_are_kept(sends: bool) -> None:
    made = turn(sends=sends)
    list(made.receive([Text("first [A] and [")]))
    made.begin(Mode.REPLAY if sends else Mode.FRESH)
    list(made.receive([Text("fir")]))
    assert made.calls == []
    list(made.give_up())
    assert made.calls == [A]
    assert said(made.release()) == ("" if sends else "first  and ")


def test_a_call_that_was_both_told_and_read_is_kept_once() -> None:
    """The side channel shows what the server has parsed; both are of one answer."""
    made = turn()
    list(made.receive([Verbatim("[A]"), A, Verbatim("[A"), B]))
    list(made.finish(natural=False))
    made.begin(Mode.FRESH)
    list(made.give_up())
    assert made.calls == [A]


def test_the_last_call_that_a_server_told_of_a_broken_answer_is_not_kept() -> None:
    made = turn()
    list(made.receive([A, B]))
    made.begin(Mode.FRESH)
    list(made.give_up())
    assert made.calls == [A]


def test_more_calls_than_were_kept_win() -> None:
    made = turn()
    list(made.receive([A, CUT]))
    made.begin(Mode.FRESH)
    list(made.receive([A, B]))
    list(made.give_up())
    assert made.calls == [A, B]


def test_pieces_of_calls_are_put_together_by_their_index() -> None:
    made = turn()
    pieces = [(0, "i", "a", "{"), (1, "j", "b", "{}"), (0, "", "", "}")]
    list(made.receive([CallPiece(index=n, id=i, name=name, arguments=text) for n, i, name, text in pieces]))
    assert [(call.id, call.name, call.arguments) for call in made.calls] == [("i", "a", "{}"), ("j", "b", "{}")]


def test_a_schema_attempt_that_brings_no_call_has_brought_nothing_readable() -> None:
    made = turn()
    made.begin(Mode.SCHEMA)
    list(made.receive([Text('{"name": "a"'), Stop(StopReason.STOP)]))
    list(made.finish(natural=True))
    assert made.calls == []
    assert [each.reason for each in made.unreadable]
    made.begin(Mode.SCHEMA)
    list(made.receive([Text('{"name": "a", "arguments": {}}'), Stop(StopReason.STOP)]))
    list(made.finish(natural=True))
    assert made.calls == [A]


def test_a_form_without_thoughts_gets_none_and_misses_none() -> None:
    made = turn(tells_thoughts=False)
    assert list(made.receive([Reasoning("hm"), Text("yes")])) == [Text("yes")]
    assert not turn(tells_thoughts=False).delivered
    made.begin(Mode.REPLAY)
    assert list(made.receive([Reasoning("hm hm"), Text("yes!")])) == [Text("!")]
    assert not made.damage().diverged


@pytest.mark.parametrize(
    ("rule", "circling", "suspect"), [("act", Circling.THOUGHT, False), ("warn", None, True), ("off", None, False)]
)
def test_a_thought_in_circles(rule: str, circling: Circling | None, suspect: bool) -> None:
    made = turn(circles=CircleRules(thought=rule))  # type: ignore[arg-type]
    list(made.receive([Reasoning("and again and again, ")] * 400))
    assert (made.circling, made.suspect) == (circling, suspect)


@pytest.mark.parametrize(
    ("times", "most", "circling"), [(1_000, 60_000, None), (10_000, 60_000, Circling.CALL), (10_000, 0, None)]
)
def test_a_call_in_circles(times: int, most: int, circling: Circling | None) -> None:
    """A file of zeros is written without anybody minding, one without end is stopped; so is a call that comes in pieces."""
    rules = CircleRules(call_characters=most)
    held, told = turn(circles=rules), turn(circles=rules)
    list(held.receive(map(Text, ("[", *["0, 0, 0, "] * times))))
    list(told.receive([CallPiece(index=0, name="write"), *[CallPiece(index=0, arguments="0, 0, 0, ")] * times]))
    assert held.circling is told.circling is circling


@pytest.mark.parametrize(("most", "circling"), [(0, None), (900, None), (700, Circling.THOUGHT)])
def test_a_thought_that_goes_on_for_too_long(most: int, circling: Circling | None) -> None:
    made = turn(circles=CircleRules(thought_tokens=most))
    list(made.receive([Reasoning(f"{number} ") for number in range(800)]))
    assert made.circling is circling


def test_behind_a_thought_that_was_ended_no_more_of_it_is_shown() -> None:
    made = turn()
    list(made.receive([Reasoning("and again and again, ")] * 400))
    made.begin(Mode.FRESH)
    assert list(made.receive([Reasoning("new"), Text("so")])) == [Text("so")]
