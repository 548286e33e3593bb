from __future__ import annotations

import json

import pytest

from gateway.core.compaction.calls import arguments_of, call_deeds
from gateway.core.compaction.deeds import Deed, Span
from gateway.core.conversation import ToolCall


def call(name: str, arguments: object) -> ToolCall:
    return ToolCall(id="1", name=name, arguments=arguments if isinstance(arguments, str) else json.dumps(arguments))


FILES = [
    ("read", {"filePath": "/a.ts"}, "read"),  # OpenCode
    ("edit", {"filePath": "/a.ts", "oldString": "x", "newString": "y"}, "change"),
    ("write", {"filePath": "/a.ts", "content": "x"}, "change"),
    ("view", {"file_path": "/a.ts"}, "read"),  # Crush
    ("multiedit", {"file_path": "/a.ts", "edits": []}, "change"),
    ("read_file", {"absolute_path": "/a.ts"}, "read"),  # Gemini CLI, qwen-code
    ("replace", {"file_path": "/a.ts"}, "change"),
    ("write_file", {"file_path": "/a.ts", "content": "x"}, "change"),
    ("str_replace_editor", {"command": "view", "path": "/a.ts"}, "read"),  # SWE-agent, OpenHands
    ("str_replace_editor", {"command": "create", "path": "/a.ts", "file_text": ""}, "change"),
    ("str_replace_based_edit_tool", {"command": "insert", "path": "/a.ts"}, "change"),
    ("editor", {"path": "/a.ts", "old_text": "x"}, "change"),  # Cline
    ("write_to_file", {"path": "/a.ts", "content": "x"}, "change"),
    ("replace_in_file", {"path": "/a.ts", "diff": ""}, "change"),
    ("create", {"filename": "/a.ts"}, "change"),  # SWE-agent
    ("Edit", {"file_path": "/a.ts"}, "change"),  # Claude Code
    ("mcp__files__read_file", {"path": "/a.ts"}, "read"),
    ("functions.edit_file", {"target_file": "/a.ts"}, "change"),
    ("apply_patch", {"input": "*** Begin Patch\n*** Update File: /a.ts\n@@\n-x\n+y\n*** End Patch"}, "change"),  # Codex
]


@pytest.mark.parametrize(("name", "arguments", "kind"), FILES)
def test_the_file_tools_of_every_agent(name: str, arguments: dict[str, object], kind: str) -> None:
    deeds = call_deeds(call(name, arguments))
    assert [(deed.kind, deed.path) for deed in deeds] == [(kind, "/a.ts")]


SPANS = [
    ({"path": "a"}, Span()),
    ({"path": "a", "offset": 10, "limit": 5}, Span(10, 14)),
    ({"path": "a", "offset": 0, "limit": 5}, Span(1, 5)),
    ({"path": "a", "offset": 10}, Span(10)),
    ({"path": "a", "limit": 5}, Span(1, 5)),
    ({"path": "a", "start_line": 3, "end_line": 9}, Span(3, 9)),
    ({"path": "a", "start_line": 3}, Span(3)),
    ({"path": "a", "view_range": [3, 9]}, Span(3, 9)),
    ({"path": "a", "view_range": [3, -1]}, Span(3)),
    ({"path": "a", "view_range": "all"}, Span()),
]


@pytest.mark.parametrize(("arguments", "span"), SPANS)
def test_the_lines_that_are_read(arguments: dict[str, object], span: Span) -> None:
    assert call_deeds(call("read", arguments)) == (Deed("read", "a", span),)


def test_spans_cover_each_other() -> None:
    assert Span().covers(Span(3, 9))
    assert Span(1, 9).covers(Span(1, 9))
    assert not Span(2, 9).covers(Span(1, 9))
    assert not Span(1, 9).covers(Span())


def test_a_window_of_swe_agent_is_no_whole_file() -> None:
    assert call_deeds(call("open", {"path": "a.py", "line_number": 200})) == (Deed("read", "a.py", Span(200, 299)),)
    assert call_deeds(call("open", {"path": "a.py"})) == (Deed("read", "a.py", Span(1, 100)),)


def test_several_files_in_a_call() -> None:
    files = [{"path": "a", "start_line": 1, "end_line": 5}, {"path": "b"}]
    assert call_deeds(call("read_files", {"files": files})) == (Deed("read", "a", Span(1, 5)), Deed("read", "b"))
    assert call_deeds(call("read_many_files", {"paths": ["a", "b"]})) == (Deed("read", "a"), Deed("read", "b"))
    patch = "*** Add File: x.py\n+1\n*** Delete File: y.py\n"
    assert [deed.path for deed in call_deeds(call("apply_patch", {"patch": patch}))] == ["x.py", "y.py"]


COMMANDS = [
    ("bash", {"command": "make test"}),
    ("execute_bash", {"command": "make test", "is_input": "false"}),
    ("run_shell_command", {"command": "make test", "description": "tests"}),
    ("shell", {"command": ["make", "test"]}),
    ("run_commands", {"commands": ["make", "test"]}),
    ("execute_command", {"cmd": "make test"}),
]


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_the_command_tools_of_every_agent(name: str, arguments: dict[str, object]) -> None:
    assert call_deeds(call(name, arguments)) == (Deed("run", command="make test"),)


def test_a_command_that_reads_a_file_is_a_read() -> None:
    assert call_deeds(call("bash", {"command": "cat a.py"})) == (Deed("read", "a.py", command="cat a.py"),)


def test_a_plan_is_told_step_by_step() -> None:
    todos = [{"content": "look", "status": "done"}, {"content": "mend", "status": "open"}, "stray"]
    assert call_deeds(call("todowrite", {"todos": todos})) == (Deed("plan", command="look done; mend open"),)


def test_an_unknown_tool_does_something_else() -> None:
    assert call_deeds(call("query_db", {"path": "users", "command": "select"})) == (Deed("other"),)


@pytest.mark.parametrize("arguments", ["", "null", "[1]", '"text"', '{"path": ', "[" * 100_000, '{"path": 7}', "NaN"])
def test_any_arguments_are_survived(arguments: str) -> None:
    assert all(
        deed.path == ""
        for name in ("read", "edit", "bash", "todowrite", "x")
        for deed in call_deeds(call(name, arguments))
    )
    assert isinstance(arguments_of(call("x", arguments)), dict)


def test_two_spellings_of_a_path_are_one_file() -> None:
    assert Deed("read", "./src/a.py").file == Deed("read", "src/a.py").file == "src/a.py"
