"""Requests that a client makes beside its conversation: for a title, a summary of its own, a commit message. They are known by their words.

They hold a history or a part of it, but lead nowhere: they are sent as they are while they fit, and are not worth a long wait.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from gateway.core.conversation import Conversation

SideRequest: TypeAlias = Literal["title", "summary", "commit"]

_OPENING = 600  # characters at the beginning of a text that say what it is about
_TITLE = re.compile(
    r"(?i)\btitle generator\b|\b(?:generate|write|create|come up with|suggest) an? (?:[\w,()\d-]+ ){0,6}title\b"
    r"|\bshort title (?:based on|for)\b"
)
_COMMIT = re.compile(
    r"(?i)\bgit commit messages?\b|\b(?:generate|write|create|generates|writes) (?:[\w,-]+ ){0,5}commit messages?\b"
)
# In the words of: Crush, OpenCode (two), Aider, Codex, Claude Code and Cline, Gemini CLI and qwen-code, OpenHands
_SUMMARY_SYSTEM = re.compile(
    r"You are summarizing a conversation to preserve context"
    r"|You are a context summarization agent"
    r"|\*Briefly\* summarize this partial conversation about programming"
    r"|You are the component that summarizes internal chat history"
    r"|You are maintaining a context-aware state summary"
)
_SUMMARY_LAST = re.compile(
    r"Provide a detailed summary of our conversation above"
    r"|Create a new anchored summary from the conversation history"
    r"|Summarize the older portion of the preceding conversation"
    r"|CONTEXT CHECKPOINT COMPACTION"
    r"|Your task is to create a (?:detailed|comprehensive) summary of the conversation"
)


def side_request(conversation: Conversation) -> SideRequest | None:
    """What kind of side request this is; None for a turn of a conversation.

    One with tools is a summary or nothing: clients offer none for titles and commit messages.
    """
    messages = conversation.messages
    system = " ".join(m.text[:_OPENING] for m in messages if m.role in ("system", "developer"))
    last = next((m.text for m in reversed(messages) if m.role == "user"), "")
    if _SUMMARY_SYSTEM.search(system) or _SUMMARY_LAST.search(last[:_OPENING]):
        return "summary"
    if conversation.tools or any(m.calls for m in messages):
        return None
    if _TITLE.search(system) or (len(messages) <= 2 and _TITLE.search(last[:_OPENING])):
        return "title"
    return "commit" if _COMMIT.search(system) else None
