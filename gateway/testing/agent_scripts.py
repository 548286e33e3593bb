"""Scripts that play a small task with real coding agents: read a file, edit it, run a check, in the tools or the format they offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.testing.ask import Ask
from gateway.testing.models.constraining import smallest
from gateway.testing.script import Script, ToolUse, Turn, says

# What agents call the same thing: OpenCode, Crush, qwen-code, Cline and their kin.
_TOOLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "read": ("read", "view", "read_file"),
        "edit": ("edit", "edit_file", "str_replace", "replace"),
        "write": ("write", "write_file", "create_file"),
        "run": ("bash", "run", "run_shell_command", "shell", "exec_command"),
        "list": ("ls", "glob", "list_directory", "list"),
    }
)
_PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "path": ("filePath", "file_path", "path", "filename"),
        "old": ("oldString", "old_string", "old_text"),
        "new": ("newString", "new_string", "new_text"),
        "content": ("content", "contents", "text"),
        "command": ("command", "cmd"),
    }
)
_AIDER_DIFF = "SEARCH/REPLACE block"
_AIDER_WHOLE = "file listing"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTask:
    """One file changes: `old` in it becomes `new`; `before` is its whole content, `check` the command that must succeed then.

    `root` is put before the path in tool calls, for agents that want absolute paths.
    """

    path: str
    before: str
    old: str
    new: str
    check: str
    root: str = ""
    done: str = "Done: the file is changed and the check succeeds."

    @property
    def after(self) -> str:
        return self.before.replace(self.old, self.new, 1)

    @property
    def place(self) -> str:
        return f"{self.root}/{self.path}" if self.root else self.path


def editing(task: EditTask) -> Script:
    """Plays the task with whatever agent asks; its side requests (title, commit message, summary) get a line."""

    def choose(ask: Ask) -> Turn:
        if ask.tools:
            steps = (_read(task, ask), _edit(task, ask), _check(task, ask))
            done = len(ask.said_by("tool"))
            return steps[done] if done < len(steps) else says(task.done)
        wanted = "\n".join([*ask.said_by("system"), *ask.said_by("user")])
        if _AIDER_DIFF in wanted:
            return says(_as_diff(task))
        return says(_as_whole(task)) if _AIDER_WHOLE in wanted else says(f"chore: change {task.path}")

    return choose


def _read(task: EditTask, ask: Ask) -> Turn:
    return says(f"First I read {task.path}.", _use(ask, "read", path=task.place))


def _edit(task: EditTask, ask: Ask) -> Turn:
    if declared(ask, "edit"):
        return says("Now the change.", _use(ask, "edit", path=task.place, old=task.old, new=task.new))
    return says("Now the change.", _use(ask, "write", path=task.place, content=task.after))


def _check(task: EditTask, ask: Ask) -> Turn:
    return says("Then I check it.", _use(ask, "run", command=task.check))


def _as_diff(task: EditTask) -> str:
    block = f"<<<<<<< SEARCH\n{task.old}\n=======\n{task.new}\n>>>>>>> REPLACE"
    return f"I change {task.path}.\n\n{task.path}\n```python\n{block}\n```\n"


def _as_whole(task: EditTask) -> str:
    return f"I change {task.path}.\n\n{task.path}\n```\n{task.after}```\n"


def declared(ask: Ask, deed: str) -> Mapping[str, object] | None:
    """The first tool that the client offers for a deed: `read`, `edit`, `write`, `run` or `list`."""
    functions = [tool.get("function") for tool in ask.tools]
    known = {str(f.get("name")): f for f in functions if isinstance(f, dict)}
    return next((known[name] for name in _TOOLS[deed] if name in known), None)


def _use(ask: Ask, deed: str, **values: str) -> ToolUse:
    """A call of the client's tool for this deed; a client without one gets a call that it can only refuse."""
    function = declared(ask, deed)
    return fill(function, **values) if function else ToolUse(deed, values)


def fill(function: Mapping[str, object], **values: str) -> ToolUse:
    """A call of the tool with these values in the parameters that it has for them; what else it requires is made up."""
    schema = function.get("parameters")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    known = properties if isinstance(properties, dict) else {}
    arguments: dict[str, object] = {
        name: values[meaning]
        for meaning, names in _PARAMETERS.items()
        for name in names
        if name in known and meaning in values
    }
    required = schema.get("required") if isinstance(schema, dict) else None
    for name in required if isinstance(required, list) else []:
        arguments.setdefault(str(name), smallest(known.get(name) or {}))
    return ToolUse(str(function["name"]), arguments)
