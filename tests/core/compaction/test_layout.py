from __future__ import annotations

import pytest

from gateway.core.compaction.layout import Layout, laid_out
from gateway.core.conversation import Message, Prose, Role


def history(*said: tuple[Role, str]) -> list[Message]:
    return [Message(role=role, content=(Prose(text),)) for role, text in said]


def test_the_frame_is_the_leading_system_block() -> None:
    messages = history(("system", "s"), ("developer", "d"), ("user", "u"), ("system", "late"), ("assistant", "a"))
    assert laid_out(messages) == Layout(frame=(0, 1), thread=(2, 3, 4))


def test_a_history_of_nothing_but_system() -> None:
    assert laid_out(history(("system", "s"))) == Layout(frame=(0,), thread=())
    assert laid_out([]) == Layout(frame=(), thread=())


EXAMPLES: tuple[tuple[Role, str], ...] = (("user", "Change it."), ("assistant", "To make this change …"))
SWITCH: tuple[tuple[Role, str], ...] = (
    ("user", "I switched to a new code base. Please don't consider the above files."),
    ("assistant", "Ok."),
)
MAP: tuple[tuple[Role, str], ...] = (
    ("user", "Here are summaries of some files present in my git repository.\n…"),
    ("assistant", "Ok, I won't try and edit those files without asking first."),
)
DONE: tuple[tuple[Role, str], ...] = (("user", "Rename f."), ("assistant", "Done."))
FILES: tuple[tuple[Role, str], ...] = (
    ("user", "I have *added these files to the chat* so you can go ahead and edit them.\n…"),
    ("assistant", "Ok, any changes I propose will be to those files."),
)
CURRENT: tuple[tuple[Role, str], ...] = (("user", "Now rename g."),)


def test_aiders_files_examples_and_map_are_frame() -> None:
    messages = history(("system", "s"), *EXAMPLES, *SWITCH, *MAP, *DONE, *FILES, *CURRENT)
    assert laid_out(messages) == Layout(frame=(0, 1, 2, 3, 4, 5, 6, 9, 10), thread=(7, 8, 11), current=2)


def test_aider_without_files_says_so_or_says_nothing() -> None:
    none = (("user", "I am not sharing any files that you can edit yet."), ("assistant", "Ok."))
    assert laid_out(history(("system", "s"), *DONE, *none, *CURRENT)).current == 2  # type: ignore[arg-type]
    assert laid_out(history(("system", "s"), *MAP, *DONE, *CURRENT)) == Layout(frame=(0, 1, 2), thread=(3, 4, 5))


def test_an_answer_is_no_acknowledgement_if_it_is_long() -> None:
    messages = history(("user", FILES[0][1]), ("assistant", "Here is what I change: " + "x" * 400))
    assert laid_out(messages) == Layout(frame=(0,), thread=(1,), current=0)


RULES_TEXT = (
    "# *SEARCH/REPLACE block* Rules:\n\nEvery block must use this format:\n\n" + "1. The path alone on a line.\n" * 10
)


@pytest.mark.parametrize("between", ["\n\n", "\n\n[holdfast: the client sent what follows as a system message]\n"])
def test_the_rules_that_aider_repeats_are_frame(between: str) -> None:
    last = ("user", f"Now rename g.\n\nAnd h.{between}{RULES_TEXT}")
    plan = laid_out(history(("system", f"You are Aider.\n{RULES_TEXT}"), *DONE, *FILES, last))  # type: ignore[arg-type]
    assert plan.said == history(("user", "Now rename g.\n\nAnd h."))[0]


@pytest.mark.parametrize(
    "messages",
    [
        (("system", f"You are Aider.\n{RULES_TEXT}"), *DONE, ("user", f"Now.\n\n{RULES_TEXT}")),
        (("system", "You are Aider."), *DONE, *FILES, ("user", f"Now.\n\n{RULES_TEXT}")),
        (("system", "You are Aider.\n\nBe short."), *DONE, *FILES, ("user", "Now.\n\nBe short.")),
        (("system", RULES_TEXT), *DONE, *FILES, ("user", "Now."), ("assistant", RULES_TEXT)),
    ],
    ids=["no files", "other rules", "too short to be rules", "not the user's"],
)
def test_else_the_latest_message_is_all_said_by_the_user(messages: tuple[tuple[Role, str], ...]) -> None:
    assert laid_out(history(*messages)).said is None
