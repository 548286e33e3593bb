"""What a tool call does, told from its name and arguments. Names and keys of the agents that we know are the tables below.

Seen in: OpenCode 1.18, Crush, pi, qwen-code 0.15, Gemini CLI, Cline, Roo, OpenHands, SWE-agent, Claude Code, Codex, Continue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.core import jsontext
from gateway.core.compaction.deeds import WHOLE, Deed, Kind, Span
from gateway.core.compaction.shell import shell_deeds
from gateway.core.conversation import ToolCall

_READ = (
    "read view open cat read_file readfile view_file open_file read_files read_many_files get_file_contents fetch_file"
)
_CHANGE = (
    "edit write create insert replace patch editor multiedit multi_edit edit_file write_file create_file save_file new_file"
    " write_to_file replace_in_file str_replace search_replace search_and_replace insert_content apply_diff apply_patch"
    " append_file delete_file single_find_and_replace edit_existing_file create_new_file notebookedit"
)
_RUN = (
    "bash shell terminal exec execute run command execute_bash run_bash run_command run_commands execute_command cmd"
    " run_shell_command run_terminal_cmd run_terminal_command local_shell exec_command shell_command execute_ipython_cell"
)
_PLAN = "todowrite todo_write todos write_todos update_plan update_todo_list task_tracker"
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(_READ.split(), "read"),
    **dict.fromkeys(_CHANGE.split(), "change"),
    **dict.fromkeys(_RUN.split(), "run"),
    **dict.fromkeys(_PLAN.split(), "plan"),
}
# one tool, several deeds: its `command` says which (SWE-agent, OpenHands, Anthropic's text editor)
_EDITORS = ("str_replace_editor", "str_replace_based_edit_tool", "text_editor", "file_editor")
_EDITOR_READS = ("view", "read", "open")

_PATHS = (
    "path",
    "file_path",
    "filePath",
    "filename",
    "file_name",
    "filepath",
    "absolute_path",
    "target_file",
    "relative_workspace_path",
    "notebook_path",
    "file",
)
_FILES = ("files", "paths", "file_paths")
_COMMANDS = ("command", "cmd", "commands", "script", "code")
_PATCHED = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (.+)$", re.MULTILINE)  # Codex's apply_patch
_SHOWN = 100  # lines that SWE-agent's `open` shows


def call_deeds(call: ToolCall) -> tuple[Deed, ...]:
    """What `call` does; one "other" where nothing is recognised. Never fails, whatever the arguments are."""
    arguments = arguments_of(call)
    name = call.name.lower().rpartition("__")[2].rpartition(".")[2]  # mcp__server__read, functions.read
    if name in _EDITORS:
        kind: Kind = "read" if arguments.get("command") in _EDITOR_READS else "change"
        return tuple(_file_deeds(kind, arguments))
    match KINDS.get(name, "other"):
        case "run":
            return tuple(shell_deeds(_command(arguments)))
        case "read" if name == "open":
            return (Deed("read", _path(arguments), _opened(arguments)),)
        case "read" | "change" as kind:
            return tuple(_file_deeds(kind, arguments))
        case "plan":
            return (Deed("plan", command="; ".join(_steps(arguments))),)
        case _:
            return (Deed("other"),)


def arguments_of(call: ToolCall) -> Mapping[str, object]:
    """The arguments as an object; {} where they are none."""
    try:
        value = jsontext.loads(call.arguments)
    except jsontext.NotJson:
        return {}
    return value if isinstance(value, dict) else {}


def _file_deeds(kind: Kind, arguments: Mapping[str, object]) -> Iterator[Deed]:
    named = [item for key in _FILES for item in _listed(arguments.get(key))]
    patched = [path for text in arguments.values() if isinstance(text, str) for path in _PATCHED.findall(text)]
    if named:
        yield from (Deed(kind, _path(item), _span(item)) for item in named)
    elif patched:
        yield from (Deed(kind, path.strip()) for path in patched)
    else:
        yield Deed(kind, _path(arguments), _span(arguments))


def _listed(value: object) -> list[Mapping[str, object]]:
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, dict) else {"path": item} for item in items]


def _path(arguments: Mapping[str, object]) -> str:
    return next((value for key in _PATHS if isinstance(value := arguments.get(key), str)), "")


def _span(arguments: Mapping[str, object]) -> Span:
    match arguments:
        case {"view_range": [int(first), int(last)]}:
            return Span(first, last if last > 0 else WHOLE.last)
        case {"offset": int(first), "limit": int(count)}:
            return Span(max(first, 1), max(first, 1) + count - 1)
        case {"limit": int(count)}:
            return Span(1, count)
        case {"offset": int(first)}:
            return Span(max(first, 1))
        case {"start_line": int(first), "end_line": int(last)}:
            return Span(first, last if last > 0 else WHOLE.last)
        case {"start_line": int(first)}:
            return Span(first)
        case _:
            return WHOLE


def _opened(arguments: Mapping[str, object]) -> Span:
    line = arguments.get("line_number")
    first = line if isinstance(line, int) else 1
    return Span(first, first + _SHOWN - 1)


def _command(arguments: Mapping[str, object]) -> str:
    for key in _COMMANDS:
        match arguments.get(key):
            case str(command):
                return command
            case [*words] if words:
                return " ".join(str(word) for word in words)
    return ""


def _steps(arguments: Mapping[str, object]) -> Iterator[str]:
    """The steps of a plan with their states, as far as its arguments are a list of such things."""
    for value in arguments.values():
        for step in value if isinstance(value, list) else []:
            if isinstance(step, dict):
                yield " ".join(text for text in step.values() if isinstance(text, str))
