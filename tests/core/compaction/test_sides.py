from __future__ import annotations

import pytest

from gateway.core.compaction.sides import SideRequest, side_request
from gateway.core.conversation import Conversation, Message, Prose, Role, ToolSpec


def asked(*said: tuple[Role, str], tools: bool = False) -> Conversation:
    messages = tuple(Message(role=role, content=(Prose(text),)) for role, text in said)
    return Conversation(model="m", messages=messages, tools=(ToolSpec(name="read"),) if tools else ())


KNOWN: list[tuple[SideRequest, list[tuple[Role, str]]]] = [
    (
        "title",
        [
            ("system", "You are a title generator. You output ONLY a thread title."),
            ("user", "Generate a title for this:"),
        ],
    ),
    ("title", [("system", "you will generate a short title based on the first message"), ("user", "hello")]),
    ("title", [("user", "Please write a 5-10 word title for the following conversation:")]),
    ("title", [("user", "Generate a concise, sentence-case title (3-7 words) for this session")]),
    ("commit", [("system", "You generate concise, one-line Git commit messages from diffs."), ("user", "diff --git")]),
    (
        "summary",
        [
            ("system", "You are summarizing a conversation to preserve context for continuing work later."),
            ("user", "x"),
        ],
    ),
    ("summary", [("system", "You are a context summarization agent."), ("user", "x")]),
    ("summary", [("system", "*Briefly* summarize this partial conversation about programming."), ("user", "x")]),
    (
        "summary",
        [
            ("system", "s"),
            ("user", "go"),
            ("assistant", "a"),
            ("user", "Provide a detailed summary of our conversation above."),
        ],
    ),
    ("summary", [("system", "s"), ("user", "You are performing a CONTEXT CHECKPOINT COMPACTION.")]),
    ("summary", [("user", "Create a new anchored summary from the conversation history above.")]),
    ("summary", [("user", "Summarize the older portion of the preceding conversation.")]),
]
TURNS: list[list[tuple[Role, str]]] = [
    [("system", "You are an agent."), ("user", "Fix the parser.")],
    [
        ("system", "You are an agent."),
        ("user", "go"),
        ("assistant", "ok"),
        ("user", "Generate a title for my blog post"),
    ],
    [("system", "You are an agent. Be concise."), ("user", "Summarize README.md")],
    [("user", "What is a good title?")],
    [],
]


@pytest.mark.parametrize(("kind", "said"), KNOWN)
def test_side_requests_are_known(kind: SideRequest, said: list[tuple[Role, str]]) -> None:
    assert side_request(asked(*said)) == kind


@pytest.mark.parametrize("said", TURNS)
def test_turns_of_a_conversation_are_not(said: list[tuple[Role, str]]) -> None:
    assert side_request(asked(*said)) is None


def test_with_tools_only_a_summary_is_one() -> None:
    title = asked(("user", "Generate a title for this"), tools=True)
    summary = asked(("user", "Provide a detailed summary of our conversation above."), tools=True)
    assert (side_request(title), side_request(summary)) == (None, "summary")
