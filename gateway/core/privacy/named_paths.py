"""Which files and folders a conversation names: in tool arguments, file blocks, diffs, fences, and as the folder it works in.

Law: a path is given as it was written; what cannot be read as a path for certain is given as well, for the gate to doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Json
from gateway.core.conversation import Conversation, Message

_LONGEST = 1024  # characters of a path; longer values are contents

_WORKS_IN = re.compile(
    r"(?:<cwd>|\b(?:cwd|pwd|(?:current |present )?work(?:ing|space)(?: root| in the)? (?:directory|dir|folder)|project (?:root|directory|folder)"
    r"|workspace root(?: folder)?|root of the (?:project|repository))[^\S\n]*(?:is|\(|:|=)*[^\S\n]*)[`\"']?"
    r"(?P<path>(?:[/~]|[A-Za-z]:[\\/]|\\\\)[^\n\"'`<>|)]*)",
    re.IGNORECASE,
)
_BLOCKS = re.compile(
    r"<(?:\w+[^<>\n]*?\s)?(?:file|path|filename|file_path|filepath|source|src|uri|name)=[\"'](?P<attribute>[^\"'\n]+)[\"']"
    r"|<(?:file_?path|path|filename|source)>(?P<element>[^<>\n]+)</"
    r"|^diff --git \"?a/(?P<old>[^\n]+?)\"? \"?b/(?P<new>[^\n]+?)\"?$"
    r"|^(?:---|\+\+\+) \"?(?:[abiwco]/)?(?P<header>[^\n\t\"]+?)\"?(?:\t[^\n]*)?$"
    r"|^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (?P<patch>[^\n]+)$"
    r"|^Index: (?P<index>[^\n]+)$"
    r"|^(?:File|Path|Filename)\s?: `?(?P<told>[^\s`]+)`?$"
    r"|^(?P<before>[^\s`#*>|][^\n]{0,250})\n(?:`{3,}|~{3,})"
    r"|^(?:`{3,}|~{3,})(?P<info>[^\n`]+)$",
    re.MULTILINE,
)
_INFO_PATH = re.compile(r"(?:[\w-]+=)?[\"'{]?(?P<path>[^\s\"'{}=:]*[./\\][^\s\"'{}=]*)")
_PATH_KEY = re.compile(
    r"(?:^|_)(?:path|paths|file|files|filename|filenames|filepath|dir|dirs|directory|directories|folder|cwd|workdir|uri|notebook|worktree)$"
)
_COMMAND_KEY = re.compile(r"(?:^|_)(?:command|commands|cmd|cmds|script|bash|shell|args|argv|arguments|chars)$")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"""[^\s"'`;|&()<>=,]+""")
_ABSOLUTE = re.compile(r"(?:file://|/|~|[A-Za-z]:[\\/]|\\\\)[^\n]*\Z")
_NO_FILE = re.compile(r"[a-z][a-z0-9+.-]*://(?<!file://)|-|\d+\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedPaths:
    """What a conversation names: `folders` that it works in, and `files`, each as it was written."""

    folders: tuple[str, ...]
    files: tuple[str, ...]


def named_paths(conversation: Conversation) -> NamedPaths:
    """All paths that a conversation names, each once."""
    folders: dict[str, None] = {}
    files: dict[str, None] = {}
    for message in conversation.messages:
        if message.role in ("system", "developer", "user"):
            folders |= dict.fromkeys(found["path"].rstrip(" \t.,;") for found in _WORKS_IN.finditer(message.text))
        files |= dict.fromkeys(_in_text(message.text))
        files |= dict.fromkeys(_in_calls(message))
    if conversation.completion:
        for text in (conversation.completion.system, conversation.completion.prompt):
            folders |= dict.fromkeys(found["path"].rstrip(" \t.,;") for found in _WORKS_IN.finditer(text))
            files |= dict.fromkeys(_in_text(text))
    files.pop("/dev/null", None)
    return NamedPaths(tuple(folders), tuple(files))


def _in_text(text: str) -> Iterator[str]:
    """Paths in the headings of blocks, diffs and fences."""
    for found in _BLOCKS.finditer(text):
        kind = found.lastgroup or ""
        said = found[kind].strip()
        if kind == "new":
            yield from (found["old"], said)
        elif kind == "info":
            yield from (each["path"] for each in _INFO_PATH.finditer(said))
        elif kind == "before":
            yield from _before_fence(said)
        elif kind != "attribute" or "/" in said or "." in said or "\\" in said:
            yield said


def _before_fence(line: str) -> Iterator[str]:
    """Aider writes the file's name alone in the line before a fence."""
    name = line.strip("`*# ").removesuffix(":")
    if _ABSOLUTE.match(name) or (" " not in name and re.search(r"[./\\]\w", name) and not _NO_FILE.match(name)):
        yield name


def _in_calls(message: Message) -> Iterator[str]:
    for call in message.calls:
        document = read(call.arguments)
        if document is None:
            yield from _words(call.arguments)
        else:
            yield from _in_value(document.value, "")


def _in_value(value: Json, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _in_value(item, _HUMP.sub("_", name).replace("-", "_").lower())
    elif isinstance(value, list):
        for item in value:
            yield from _in_value(item, key)
    elif isinstance(value, str):
        yield from _in_argument(value, key)


def _in_argument(value: str, key: str) -> Iterator[str]:
    if _COMMAND_KEY.search(key):
        yield from _words(value)
    elif "\n" in value or len(value) > _LONGEST:
        yield from _in_text(value)
    elif _PATH_KEY.search(key) or _ABSOLUTE.match(value):
        yield value


def _words(command: str) -> Iterator[str]:
    """The words of a command line that may name files; options and addresses don't."""
    yield from (word for word in _WORD.findall(command) if not _NO_FILE.match(word))
