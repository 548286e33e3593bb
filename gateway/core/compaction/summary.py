"""The summary that the same model may write of a history before its oldest turns go: how to ask for it, and what is fit to be used.

Law: a summary is asked for by adding to the unchanged prompt, so that the model's prefix cache serves it, and is used from the next
compaction on, never in between. It is kept by the chain hash of the history that it tells of (`Compaction.summary_key`), so that no
other history can come by it, and one that was missed at a compaction is never offered later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from gateway.core.compaction.head import joined
from gateway.core.compaction.marks import mark, marked
from gateway.core.compaction.rules import CompactionRules
from gateway.core.conversation import Message, Prose

SummaryOf: TypeAlias = Callable[[str], str | None]  # the text kept for a key, or None

HEADINGS = ("## Goal", "## Done", "## Findings", "## Next")

REQUEST = "\n".join(
    [
        mark("a request of the gateway, not of the user; call no tool"),
        "The oldest part of this conversation will be left out soon. Write the notes with which you could go on without it.",
        "Use these four headings, each once, in this order, and short points below them:",
        f"{HEADINGS[0]}: what the user wants, with every limit and preference that was named",
        f"{HEADINGS[1]}: what is finished, with the names of files, functions and commands",
        f"{HEADINGS[2]}: what was found out, decided or tried in vain, and why",
        f"{HEADINGS[3]}: what is open, in the order in which to do it",
        "Write nothing else, and no code longer than a line.",
    ]
)


def no_summary(_: str) -> None:
    """Where no summaries are kept."""


def worthwhile(rules: CompactionRules, window: int) -> bool:
    """Whether a summary can pay in a window of so many tokens."""
    return rules.summary and window >= rules.summary_window


def asking(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The prompt that asks for a summary: `messages` unchanged and the request after them.

    After a user's message the request is joined to it, since templates forbid two in a row.
    """
    request = (Prose(REQUEST),)
    if messages and messages[-1].role == "user":
        return (*messages[:-1], replace(messages[-1], content=joined(messages[-1].content, request)))
    return (*messages, Message(role="user", content=request))


def flaw(text: str, *, calls: int = 0) -> str | None:
    """Why a model's answer can't serve as a summary, in a few words; None where it can."""
    if calls:
        return "it calls a tool"
    if not text.strip():
        return "it is empty"
    if marked(text):
        return "it copies the gateway's marks"
    at = [text.find(heading) for heading in HEADINGS]
    if -1 in at:
        return f"the heading {HEADINGS[at.index(-1)]!r} is missing"
    return None if at == sorted(at) else "its headings are out of order"
