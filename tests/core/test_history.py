"""What strict templates refuse is put right; what is right is not touched; nothing that was said is lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.compaction.marks import mark
from gateway.core.conversation import Image, Message, Prose, Role, ToolCall
from gateway.core.history import repair

SYSTEM = Message(role="system", content=(Prose("You are an agent."),))
TASK = Message(role="user", content=(Prose("Write it."),))
DONE = Message(role="assistant", content=(Prose("Done."),))


def message(role: Role, text: str) -> Message:
    return Message(role=role, content=(Prose(text),) if text else ())


def called(*ids: str, arguments: str = "{}") -> Message:
    return Message(role="assistant", calls=tuple(ToolCall(id=i, name="read", arguments=arguments) for i in ids))


def gave(id_: str, text: str = "x") -> Message:
    return Message(role="tool", answers=id_, content=(Prose(text),))


def test_a_right_history_is_returned_as_it_came() -> None:
    history = (SYSTEM, TASK, TASK, called("1", "2"), gave("2"), gave("1", ""), DONE, DONE, TASK, called("1"), gave("1"))
    assert repair(history) == (history, ())
    assert repair(()) == ((), ())


ARGUMENTS = [
    ('{"a": 1.50}', '{"a": 1.50}'),
    ('"{\\"a\\": 1}"', '{"a": 1}'),
    ("", "{}"),
    (" null ", "{}"),
    ('{"path": "a", "content": "def f(', {"unreadable": '{"path": "a", "content": "def f('}),
    ("[1, 2]", {"unreadable": "[1, 2]"}),
    ('"text"', {"unreadable": '"text"'}),
    ('{"a": NaN}', {"unreadable": '{"a": NaN}'}),
]


@pytest.mark.parametrize(("given_", "wanted"), ARGUMENTS)
def test_arguments_become_an_object(given_: str, wanted: str | dict[str, str]) -> None:
    (_, answer, _), did = repair([TASK, called("1", arguments=given_), gave("1")])
    arguments = answer.calls[0].arguments
    assert (arguments if isinstance(wanted, str) else json.loads(arguments)) == wanted
    assert did == (() if arguments == given_ else ("arguments",))
    assert answer.calls[0].id == "1"


def test_a_call_without_a_result_is_told_so() -> None:
    sent, did = repair([TASK, called("1", "2"), gave("2"), TASK])
    missing = Message(
        role="tool", answers="1", name="read", content=(Prose(mark("no result of this call was recorded")),)
    )
    assert sent == (TASK, called("1", "2"), gave("2"), missing, TASK)
    assert did == ("result",)
    assert repair([TASK, called("1")])[0] == (TASK, called("1"), missing)


def test_a_result_without_a_call_is_told_by_the_user() -> None:
    picture = Image("aGk=", "image/png")
    orphan = Message(role="tool", answers="9", content=(Prose("lost"), picture))
    sent, did = repair([SYSTEM, orphan, DONE])
    told = f"{mark('the output of a tool, whose call is not in this history')}\nlost"
    assert sent == (SYSTEM, Message(role="user", content=(Prose(told), picture)), DONE)
    assert did == ("orphan",)


def test_a_result_that_comes_twice_is_an_orphan_the_second_time() -> None:
    sent, did = repair([TASK, called("1"), gave("1", "a"), gave("1", "b"), DONE])
    assert [m.role for m in sent] == ["user", "assistant", "tool", "user", "assistant"]
    assert did == ("orphan",)


def test_what_stands_between_a_call_and_its_result_comes_after_it() -> None:
    sent, did = repair([TASK, called("1", "2"), gave("1"), message("user", "Wait."), gave("2"), DONE])
    assert sent == (TASK, called("1", "2"), gave("1"), gave("2"), message("user", "Wait."), DONE)
    assert did == ("order",)
    between = [TASK, called("1"), message("user", "Wait."), gave("1"), message("user", "Go on.")]
    assert repair(between)[0][3:] == (message("user", "Wait.\n\nGo on."),)


def test_without_ids_results_answer_in_order() -> None:
    history = (TASK, called("", ""), gave("", "a"), gave("", "b"), DONE)
    assert repair(history) == (history, ())
    named = (TASK, called("", ""), gave("x", "a"), gave("", "b"), DONE)
    assert repair(named) == (named, ())


def test_systems_at_the_beginning_become_one() -> None:
    sent, did = repair([SYSTEM, message("developer", "Be brief."), TASK])
    assert sent == (message("system", "You are an agent.\n\nBe brief."), TASK)
    assert did == ("system",)
    assert repair([message("developer", "Be brief."), TASK])[0][0] == message("system", "Be brief.")


LATE = mark("the client sent what follows as a system message")


def test_a_late_system_message_is_told_by_the_user() -> None:
    reminder = message("system", "Mind the rules.")
    sent, did = repair([SYSTEM, TASK, DONE, reminder, DONE])
    assert sent == (SYSTEM, TASK, DONE, message("user", f"{LATE}\nMind the rules."), DONE)
    assert did == ("system",)


def test_it_is_joined_to_the_user_beside_it() -> None:
    reminder = message("system", "Mind the rules.")  # Aider sends its rules so at the end, for some models
    assert repair([TASK, reminder])[0] == (message("user", f"Write it.\n\n{LATE}\nMind the rules."),)
    assert repair([TASK, DONE, reminder, TASK])[0][2:] == (message("user", f"{LATE}\nMind the rules.\n\nWrite it."),)
    assert len(repair([TASK, reminder, TASK, TASK])[0]) == 2


def test_it_never_parts_a_call_from_its_result() -> None:
    sent, did = repair([TASK, called("1"), message("system", "Mind."), gave("1"), DONE])
    assert [m.role for m in sent] == ["user", "assistant", "tool", "user", "assistant"]
    assert did == ("order", "system")


def test_messages_that_say_nothing() -> None:
    sent, did = repair([TASK, message("assistant", " "), message("user", "go on"), DONE, message("user", "\n"), DONE])
    assert sent == (
        message("user", "Write it.\n\ngo on"),
        DONE,
        message("user", mark("an empty message")),
        DONE,
    )
    assert did == ("empty",)
    quiet = Message(role="assistant", thinking="hm")
    picture = Message(role="user", content=(Image("aGk="),))
    assert repair([picture, quiet, TASK]) == ((picture, quiet, TASK), ())


ANY = st.builds(
    Message,
    role=st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    content=st.lists(st.builds(Prose, st.sampled_from(["", " ", "a", "b\n"])), max_size=2).map(tuple),
    answers=st.sampled_from(["", "1", "2", "3"]),
)
CALLING = st.builds(
    lambda ids, arguments: called(*ids, arguments=arguments),
    st.lists(st.sampled_from(["", "1", "2"]), min_size=1, max_size=3),
    st.sampled_from(["{}", "", "[", '{"a": "b"}']),
)
QUIET = st.just(Message(role="assistant", thinking="hm"))
RESULT = st.builds(gave, st.sampled_from(["1", "2"]))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(ANY, QUIET, CALLING, RESULT), max_size=12))
def test_every_history_becomes_valid_and_stays_so(history: list[Message]) -> None:
    sent, _ = repair(history)
    assert repair(sent) == (sent, ())
    waiting: list[str] = []
    for index, one in enumerate(sent):
        assert one.role != "developer"
        assert one.role != "system" or index == 0
        if one.role == "tool":
            assert waiting
            waiting.pop()
        else:
            assert not waiting
        waiting = [call.id for call in one.calls] or waiting
        assert all(isinstance(json.loads(call.arguments), dict) for call in one.calls)
        assert one.role != "user" or one.text.strip()
    assert not waiting
    whole = " ".join(m.text for m in sent)
    assert all(m.text.strip() in whole for m in history)
