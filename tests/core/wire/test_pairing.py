"""Which call a result answers: by id, by name, by order; never guessed across turns."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import Message, ToolCall
from gateway.core.wire.pairing import with_ids, with_names

UNTIMED = settings(deadline=None)  # a busy machine is no failure


def asks(*calls: tuple[str, str]) -> Message:
    return Message(role="assistant", calls=tuple(ToolCall(id=id_, name=name, arguments="{}") for id_, name in calls))


def result(answers: str = "", name: str = "") -> Message:
    return Message(role="tool", answers=answers, name=name)


def names_of(messages: Sequence[Message]) -> list[str]:
    return [message.name for message in with_names(messages) if message.role == "tool"]


def test_names_by_id_in_any_order() -> None:
    assert names_of([asks(("1", "a"), ("2", "b")), result("2"), result("1")]) == ["b", "a"]
    assert names_of([asks(("1", "a")), asks(("2", "b")), result("1")]) == ["a"]


def test_names_by_order_where_nobody_has_an_id() -> None:
    assert names_of([asks(("", "a"), ("", "b")), result(), result(), result()]) == ["a", "b", ""]


def test_a_name_that_the_client_gave_is_kept_and_an_unknown_id_is_not_guessed() -> None:
    assert names_of([asks(("1", "a")), result("1", "mine"), result("9")]) == ["mine", ""]


def test_a_call_of_an_earlier_turn_is_not_taken_by_order() -> None:
    assert names_of([asks(("", "a")), asks(("", "b")), result()]) == ["b"]


def test_ids_are_made_where_there_are_none() -> None:
    calls, by_name, by_order = with_ids([asks(("", "a"), ("", "b")), result(name="b"), result()])
    assert [call.id for call in calls.calls] == ["call_0_0", "call_0_1"]
    assert (by_name.answers, by_order.answers) == ("call_0_1", "call_0_0")


def test_ids_that_are_there_are_kept() -> None:
    history = [asks(("x", "a")), result("x")]
    assert with_ids(history) == history
    calls, first, second = with_ids([asks(("x", "a"), ("", "b")), result("x"), result(name="b")])
    assert [call.id for call in calls.calls] == ["x", "call_0_1"]
    assert (first.answers, second.answers) == ("x", "call_0_1")


def test_a_result_without_a_call_still_gets_an_id() -> None:
    assert with_ids([result()])[0].answers == "call_0"


messages = st.lists(
    st.builds(result, st.sampled_from(["", "1", "2"]), st.sampled_from(["", "a", "b"]))
    | st.lists(st.tuples(st.sampled_from(["", "1", "2"]), st.sampled_from(["a", "b"])), max_size=3).map(lambda calls: asks(*calls)),
    max_size=8,
)  # fmt: skip


@UNTIMED
@given(messages)
def test_nothing_is_left_without_an_id_and_nothing_else_changes(history: list[Message]) -> None:
    made = with_ids(history)
    assert all(call.id for message in made for call in message.calls)
    assert all(message.answers for message in made if message.role == "tool")
    assert [(message.role, message.name) for message in made] == [(message.role, message.name) for message in history]
    assert with_ids(made) == made
