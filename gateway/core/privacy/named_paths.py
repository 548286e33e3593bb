"""Which files and folders a conversation names: in tool arguments, file blocks, diffs, fences, and as the folder it works in.

Law: a path is given as it was written; what may or may not be one is given as well, for the gate to doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Json
from gateway.core.conversation import Completion, Message, ToolCall
from gateway.core.privacy.commands import words
from gateway.core.privacy.units import Unit

_LONGEST = 1024  # characters of a path; longer values are contents

_PATH = r"[`\"']?(?P<path>(?:[/~]|[A-Za-z]:[\\/]|\\\\)[^\n\"'`<>|)]*)"
_WORKS_IN = re.compile(
    r"(?:<cwd>|\b(?:cwd|pwd|work(?:ing|space)(?: root| in the)? (?:directory|dir|folder)|(?:project|workspace) (?:root|directory|folder)"
    rf"(?: folder)?|root of the (?:project|repository))[^\S\n]*(?:is|[(:=])*[^\S\n]*){_PATH}",
    re.IGNORECASE,
)
_SAYS_FOLDER = ("cwd", "pwd", "director", "dir:", "folder", "root")

_MARKS = ("```", "~~~", "diff --git ", "--- ", "+++ ", "*** ", "Index: ", "File:", "Path:", "Filename:")
_FIRST = frozenset(mark[0] for mark in _MARKS)
_DIFF = re.compile(r'diff --git "?a/(?P<old>.+?)"? "?b/(?P<new>.+?)"?\Z')
_HEADERS = (
    re.compile(r"--- Context from: (?P<path>.+) ---"),  # Gemini CLI and Qwen Code
    re.compile(r"(?:---|\+\+\+) (?!Context from: )\"?(?:[abciow]/)?(?P<path>[^\t\"]+)"),
    re.compile(r"\*\*\* (?:(?:Add|Update|Delete) File|Move to): (?P<path>.+)"),
    re.compile(r"(?:Index|File|Path|Filename)\s?: ?`?(?P<path>[^`]+)"),
)
_INFO = re.compile(r"(?:[\w-]+=)?[\"'{]?(?P<path>[^\s\"'{}=:]*[./\\][^\s\"'{}=]*)")
_ALONE = re.compile(
    r"(?:[A-Za-z]:)?[\w@.+~/\\-]*[./\\][\w@.+~/\\-]+\Z|(?:/(?!/)|~|[A-Za-z]:[\\/]|\\\\)[^\n]{1,1000}\.\w{1,8}\Z"
)
_ELEMENT = re.compile(
    r"<(?:file|document|file_content|source_file|read_file|write_file|create_file|edit_file)\s[^<>\n]*?(?:path|name|filename|file)=[\"'](?P<of>[^\"'\n]+)"
    r"|<(?:file_?path|path|filename|source)>(?P<path>[^<>\n]+)</",
)

_TEMPLATE = re.compile(r"\$\{|\{\{|\{\w*\}|%s|<\w+>")

_PATH_KEY = re.compile(
    r"(?:^|_)(?:path|paths|file|files|filename|filenames|filepath|dir|dirs|directory|directories|folder|cwd|workdir|uri|notebook|worktree)$"
)
_COMMAND_KEY = re.compile(r"(?:^|_)(?:command|commands|cmd|cmds|script|bash|shell|args|argv|chars)$")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ABSOLUTE = re.compile(
    r"(?:file://|/(?![/*])|~/|[A-Za-z]:[\\/]|\\\\)[\w.@+~:/\\ -]*[/\\.][\w.@+~:/\\ -]*\Z"
)  # of any argument


@dataclass(frozen=True, slots=True)
class NamedPaths:
    """`folders` that a conversation works in, and `files` that it names, each once and as it was written."""

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def named_paths(conversation: Iterable[Unit], memo: MutableMapping[bytes, NamedPaths]) -> NamedPaths:
    """All paths that the units of a conversation name; `memo` keeps what each of them does, by its digest."""
    folders: dict[str, None] = {}
    files: dict[str, None] = {}
    for unit in conversation:
        found = memo.get(unit.digest)
        if found is None:
            memo[unit.digest] = found = _named(unit)
        folders |= dict.fromkeys(found.folders)
        files |= dict.fromkeys(found.files)
    return NamedPaths(tuple(folders), tuple(files))


def _named(unit: Unit) -> NamedPaths:
    match unit.source:
        case Message() as message:
            folders = _folders(message.text) if message.role in ("system", "developer", "user") else ()
            files = (*_in_text(message.text), *(path for call in message.calls for path in _in_call(call)))
        case Completion() as completion:
            text = f"{completion.system}\n{completion.prompt}"
            folders, files = _folders(text), tuple(_in_text(text))
        case _:
            folders, files = (), ()
    return NamedPaths(tuple(dict.fromkeys(folders)), tuple(dict.fromkeys(files)))


def _folders(text: str) -> Iterator[str]:
    """The folders that a text says it works in."""
    lowered = text.lower()
    if any(word in lowered for word in _SAYS_FOLDER):
        for line in text.split("\n"):
            if "/" in line or "\\" in line or "~" in line:
                yield from (found["path"].rstrip(" \t.,;") for found in _WORKS_IN.finditer(line))


def _in_text(text: str) -> Iterator[str]:
    """Paths in the headings of blocks, diffs and fences; what a program would put there is none yet."""
    return (path for path in _headings(text) if not _TEMPLATE.search(path))


def _headings(text: str) -> Iterator[str]:
    before = ""
    for line in text.split("\n"):
        if line[:1] in _FIRST and line.startswith(_MARKS):
            yield from _in_heading(line.rstrip(), before)
        elif "<" in line:
            yield from (found["of"] or found["path"] for found in _ELEMENT.finditer(line))
        before = line


def _in_heading(line: str, before: str) -> Iterator[str]:
    if line.startswith(("```", "~~~")):
        yield from (each["path"] for each in _INFO.finditer(line.lstrip("`~")))
        yield from _before_fence(before)
    elif found := _DIFF.match(line):
        yield from (found["old"], found["new"])
    else:
        yield from (found["path"].strip() for header in _HEADERS if (found := header.match(line)))


def _before_fence(line: str) -> Iterator[str]:
    """Aider writes the name of a file alone into the line before its fence."""
    name = line.strip().strip("`*#").strip().removesuffix(":")
    if _ALONE.match(name) and not _ADDRESS.match(name):
        yield name


def _in_call(call: ToolCall) -> Iterator[str]:
    document = read(call.arguments)
    yield from words(call.arguments) if document is None else _in_value(document.value, "")


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
        yield from words(value)
    elif "\n" in value or len(value) > _LONGEST:
        yield from _in_text(value)
    elif (_PATH_KEY.search(key) and not _ADDRESS.match(value)) or _ABSOLUTE.match(value):
        yield value
