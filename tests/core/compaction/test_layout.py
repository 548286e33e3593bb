from __future__ import annotations

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
