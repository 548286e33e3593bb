"""Which tools only read. Law: a tool that neither policy nor its name marks as reading counts as writing."""

from __future__ import annotations

import re
from collections.abc import Collection

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_READING = re.compile(
    r"read|view|list|ls|get|glob|grep|search|find|fetch|cat|head|tail|tree|show|stat|diff|lookup|describe|inspect|browse"
    # written in one lower-case word by OpenCode, Crush, Claude Code
    r"|todoread|websearch|webfetch|readfile|listdir|listfiles|codesearch|diagnostics|references",
)
_WRITING = re.compile(
    r"write|edit|replace|delete|remove|rm|create|make|mkdir|add|update|modify|change|patch|apply|insert|append|set|put|post"
    r"|send|push|commit|save|store|upload|move|rename|copy|mv|cp|run|exec|execute|bash|sh|shell|terminal|command|cmd|kill"
    r"|start|stop|install|eval|sql|merge|clear|reset|submit|publish|invoke|call",
)


def writes(name: str, *, reading: Collection[str] = ()) -> bool:
    """Whether a call of the tool may change anything; `reading` are further names that policy calls harmless."""
    if name in reading:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    return not any(map(_READING.fullmatch, words)) or any(map(_WRITING.fullmatch, words))
