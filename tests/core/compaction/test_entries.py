from __future__ import annotations

import json

from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.entries import Entry, Reader, retold
from gateway.core.conversation import Image, Message, Prose, ToolCall


def read_all(*messages: Message) -> list[Entry]:
    reader = Reader()
    return [reader.entry(place, message, 10) for place, message in enumerate(messages)]


def asked(text: str) -> Message:
    return Message(role="user", content=(Prose(text),))


def said(text: str) -> Message:
    return Message(role="assistant", content=(Prose(text),))


def called(*calls: tuple[str, str, dict[str, object]]) -> Message:
    made = (ToolCall(id=id_, name=name, arguments=json.dumps(arguments)) for id_, name, arguments in calls)
    return Message(role="assistant", calls=tuple(made))


def gave(id_: str, text: str) -> Message:
    return Message(role="tool", answers=id_, content=(Prose(text),))


def test_results_are_joined_to_their_calls_by_id() -> None:
    calls = called(("1", "read", {"path": "a"}), ("2", "bash", {"command": "make"}))
    entries = read_all(asked("go"), calls, gave("2", "ok"), gave("1", "x"))
    assert [entry.deeds for entry in entries] == [(), (), (Deed("run", command="make"),), (Deed("read", "a"),)]
    assert [entry.output for entry in entries] == [False, False, True, True]


def test_results_without_ids_are_joined_in_order() -> None:
    calls = called(("", "read", {"path": "a"}), ("", "read", {"path": "b"}))
    entries = read_all(asked("go"), calls, gave("", "x"), gave("", "y"))
    assert [deed.path for entry in entries for deed in entry.deeds] == ["a", "b"]


def test_a_result_of_no_call_tells_nothing() -> None:
    assert read_all(asked("go"), called(), gave("9", "x"))[-1].deeds == ()


def test_ids_that_are_used_again_mean_the_latest_call() -> None:
    first, second = called(("1", "read", {"path": "a"})), called(("1", "read", {"path": "b"}))
    entries = read_all(asked("go"), first, gave("1", "x"), second, gave("1", "y"))
    assert [deed.path for entry in entries for deed in entry.deeds] == ["a", "b"]


def test_an_output_in_a_users_message_is_joined_to_the_prose_before() -> None:
    entries = read_all(
        asked("go"), said("```\nmake\n```"), asked("OBSERVATION:\nok"), said("Done."), asked("OBSERVATION:\n?")
    )
    assert (entries[2].output, entries[2].deeds) == (True, (Deed("run", command="make"),))
    assert (entries[4].output, entries[4].deeds) == (True, ())


def test_the_task_is_no_output_whatever_it_looks_like() -> None:
    assert not read_all(said("Hello."), asked("OBSERVATION:\nthe task"))[1].output


def test_an_edit_that_names_no_file_is_one_of_the_open_file() -> None:
    calls = called(("1", "edit", {"replacement_text": "x", "start_line": 1, "end_line": 1}))
    entries = read_all(asked("go"), calls, gave("1", "done\n(Open file: /a.py)\n"))
    assert entries[-1].deeds == (Deed("change", "/a.py", entries[-1].deeds[0].span),)


def test_search_replace_blocks_belong_to_the_message_itself() -> None:
    text = "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE"
    assert read_all(asked("go"), said(text))[-1].deeds == (Deed("change", "a.py"),)


def test_a_copy_goes_its_own_way() -> None:
    reader = Reader()
    reader.entry(0, called(("1", "read", {"path": "a"})), 1)
    other = reader.copy()
    assert reader.entry(1, gave("1", "x"), 1).deeds == other.entry(1, gave("1", "x"), 1).deeds != ()


def test_pictures_stay_when_an_output_is_retold() -> None:
    picture = Image("aGk=", "image/png")
    message = Message(role="tool", answers="1", content=(Prose("x"), picture, Prose("y")))
    assert retold(message, "z").content == (Prose("z"), picture)
    assert retold(message, "").content == (picture,)
