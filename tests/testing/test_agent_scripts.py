"""The small task that real agents are made to play: the right tool of whoever asks, step by step."""

from __future__ import annotations

import pytest

from gateway.testing.agent_scripts import EditTask, editing
from gateway.testing.ask import Ask
from gateway.testing.client import Client
from gateway.testing.demo import demo, demo_upstream
from gateway.testing.script import ToolUse

BEFORE = 'def hello():\n    print("hello")\n'
TASK = EditTask(
    path="hello.py",
    before=BEFORE,
    old='    print("hello")',
    new='    """Greet."""\n    print("hello")',
    check="python hello.py",
    root="/project",
)


def tool(name: str, *properties: str, required: tuple[str, ...] = ()) -> dict[str, object]:
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in properties},
        "required": list(required),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


OPENCODE = (
    tool("read", "filePath", "offset"),
    tool("edit", "filePath", "oldString", "newString", "replaceAll"),
    tool("bash", "command", "description", required=("command", "description")),
)
QWEN = (
    tool("read_file", "file_path"),
    tool("write_file", "file_path", "content"),
    tool("run_shell_command", "command"),
)


def step(tools: tuple[dict[str, object], ...], results: int) -> tuple[ToolUse, ...]:
    messages = [{"role": "user", "content": "do it"}, *({"role": "tool", "content": "ok"} for _ in range(results))]
    return editing(TASK)(Ask(surface="chat", model="m", messages=tuple(messages), tools=tools)).calls


def test_with_opencodes_tools() -> None:
    assert step(OPENCODE, 0) == (ToolUse("read", {"filePath": "/project/hello.py"}),)
    assert step(OPENCODE, 1) == (
        ToolUse("edit", {"filePath": "/project/hello.py", "oldString": TASK.old, "newString": TASK.new}),
    )
    assert step(OPENCODE, 2) == (ToolUse("bash", {"command": "python hello.py", "description": ""}),)
    assert step(OPENCODE, 3) == ()


def test_without_an_edit_tool_the_whole_file_is_written() -> None:
    assert step(QWEN, 1) == (ToolUse("write_file", {"file_path": "/project/hello.py", "content": TASK.after}),)
    assert 'Greet."""\n    print' in TASK.after


@pytest.mark.parametrize(
    ("system", "parts"),
    [
        (
            "Describe each change with a *SEARCH/REPLACE block*",
            ["hello.py\n```python\n<<<<<<< SEARCH\n", "\n=======\n", "\n>>>>>>> REPLACE\n```\n"],
        ),
        ("You MUST use this *file listing* format", [f"hello.py\n```\n{TASK.after}```\n"]),
        ("Generate a one-line commit message", ["chore: change hello.py"]),
    ],
)
def test_without_tools_it_answers_in_aiders_formats(system: str, parts: list[str]) -> None:
    ask = Ask(
        surface="chat", model="m", messages=({"role": "system", "content": system}, {"role": "user", "content": "go"})
    )
    text = editing(TASK)(ask).text
    assert all(part in text for part in parts)


def asked(text: str, *results: str, tools: tuple[dict[str, object], ...] = ()) -> Ask:
    messages = [{"role": "user", "content": text}, *({"role": "tool", "content": result} for result in results)]
    return Ask(surface="chat", model="demo", messages=tuple(messages), tools=tools)


def test_the_demo_says_what_it_is() -> None:
    turn = demo(asked("Who are you?"))
    assert "simulated" in turn.text
    assert "3 words" in turn.text
    assert "1 word." in demo(asked("Hello")).text


def test_the_demo_plays_a_tool_turn_when_a_file_is_named() -> None:
    assert demo(asked("What is in src/main.py?", tools=OPENCODE)).calls == (
        ToolUse("read", {"filePath": "src/main.py"}),
    )
    assert demo(asked("What is in src/main.py?", "a\nb\n", tools=OPENCODE)).text.startswith("I have looked: 2 lines")
    assert demo(asked("Just talk.", tools=OPENCODE)).calls == ()


async def test_the_demo_upstream_answers() -> None:
    async with demo_upstream() as url, Client(url) as client:
        answer = await client.post("/api/chat", {"model": "demo", "messages": [{"role": "user", "content": "hi"}]})
        assert "simulated model" in answer.content
        ps = (await client.get("/api/ps")).json["models"]
        assert isinstance(ps, list)
        assert ps[0]["context_length"] == 32_768
