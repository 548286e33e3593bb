from __future__ import annotations

import json

from gateway.core.compaction.entries import Reader
from gateway.core.compaction.ledger import File, Ledger, Request, Run
from gateway.core.conversation import Message, Prose, ToolCall


def user(text: str) -> Message:
    return Message(role="user", content=(Prose(text),))


def said(text: str) -> Message:
    return Message(role="assistant", content=(Prose(text),))


def turn(name: str, given: dict[str, object], output: str) -> list[Message]:
    call = ToolCall(id="1", name=name, arguments=json.dumps(given))
    return [Message(role="assistant", calls=(call,)), Message(role="tool", answers="1", content=(Prose(output),))]


def ledger(*messages: Message) -> Ledger:
    reader, made = Reader(), Ledger()
    made.absorb(reader.entry(place, message, 1) for place, message in enumerate(messages))
    return made


def test_requests_are_told_with_the_last_that_was_said_about_them() -> None:
    made = ledger(user("Fix\n  the parser"), said("I look."), said("Fixed."), user("Thanks"))
    assert made.requests == [Request(0, "Fix the parser", "Fixed."), Request(3, "Thanks")]
    assert made.notes == ["I look.", "Fixed."]
    assert made.messages == 4


def test_files_are_counted_by_what_was_done_to_them() -> None:
    made = ledger(
        user("go"),
        *turn("read", {"path": "./a"}, "x"),
        *turn("edit", {"path": "a"}, "ok"),
        *turn("read", {"path": "b"}, "x"),
        *turn("read", {"path": "a"}, "x"),
    )
    assert list(made.files.items()) == [("b", File("b")), ("a", File("a", 1))]


def test_what_failed_changed_nothing_and_is_an_error_until_it_works() -> None:
    failing = [user("go"), *turn("edit", {"path": "a"}, "Error: no match in a")]
    assert ledger(*failing).files == {"a": File("a")}
    assert ledger(*failing).errors == {"a": "Error: no match in a"}
    assert ledger(*failing, *turn("edit", {"path": "a"}, "ok")).errors == {}


def test_commands_keep_their_last_result() -> None:
    made = ledger(
        user("go"),
        *turn("bash", {"command": "make"}, "compiling\nerror: no rule\nmake failed: 2\nend"),
        *turn("bash", {"command": "./go"}, "a\nb\n"),
        *turn("bash", {"command": "make 2>&1 | tail -3"}, "compiling\nall done"),
    )
    assert list(made.runs.values()) == [Run("./go", 1, "b"), Run("make", 2, "all done")]
    assert made.errors == {}
    assert ledger(user("go"), *turn("bash", {"command": "make"}, "error: x\nend")).errors == {"make": "error: x"}


def test_the_latest_plan_stands() -> None:
    todos = [{"content": "mend it", "status": "open"}]
    made = ledger(user("go"), *turn("todowrite", {"todos": todos}, "ok"), *turn("todowrite", {"todos": []}, "ok"))
    assert made.plan == "mend it open"


def test_steps_of_an_agent_without_calls_are_told_one_by_one() -> None:
    made = ledger(user("go"), said("```\nmake\n```"), user("OBSERVATION:\nall\nis well"))
    assert made.steps == [("make", "OBSERVATION: all is well")]
    assert [request.text for request in made.requests] == ["go"]


def test_blocks_change_files() -> None:
    made = ledger(user("go"), said("a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE"))
    assert made.files == {"a.py": File("a.py", 1)}


def test_a_copy_goes_its_own_way() -> None:
    made = ledger(user("go"))
    other = made.copy()
    other.absorb([Reader().entry(1, user("more"), 1)])
    assert (len(made.requests), len(other.requests)) == (1, 2)


def test_only_the_latest_notes_are_kept() -> None:
    assert ledger(*(said(f"note {i}") for i in range(40))).notes == [f"note {i}" for i in range(28, 40)]
