"""What the simulated models say in these tests: turns of every shape, written so that a careless join would show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.testing.models.model import Family
from gateway.testing.script import ToolUse, Turn, says

PLAIN = (
    "Zürich’s lazy llama hopped over twenty-two rivers, no, no, no: over twenty-two *very* muddy ones… 日本語 too. "
    "Then the bell rang ding ding ding ding 🙂🙂; aaaa bbbb aaaa, 3.14159 %, and nothing had changed, nothing at all."
)
LOOKING = "I look for the open points first, then I read the lazy one."
THOUGHT = "17 and 25 is 42; 42 and 42 is 84. Check: 84 - 42 = 42.\nSo the answer is 84."
SUM = "The sum is 84: 17 + 25 = 42, and 42 + 42 = 84; the tests pass, the tests pass."
CODE = (
    "import os\n\ndef size(path):\n"
    '    """Bytes, or {} where there is "none"."""\n'
    "    if not os.path.exists(path) or 1 < 0 and 2 > 1:\n"
    "        return [-1, {'a': '\\\\n'}]\n"
    "    return os.path.getsize(path)  # größer & größer"
)
WRITE = ToolUse("write_file", {"path": "src/größe.py", "content": CODE})
LOOK = ToolUse("run", {"command": 'grep -rn "TODO" src | head -20', "timeout": 300})
READ = ToolUse("read_file", {"path": "src/naïve/lazy.py"})


def _tool(name: str, **properties: str) -> dict[str, object]:
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
    }
    return {"type": "function", "function": {"name": name, "description": f"It does {name}.", "parameters": schema}}


TOOLS = [
    _tool("write_file", path="string", content="string"),
    _tool("read_file", path="string"),
    _tool("run", command="string", timeout="integer"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A turn that is meant, and the tools that are offered with the request for it."""

    name: str
    turn: Turn
    tools: Sequence[Mapping[str, object]] = ()

    @property
    def calls(self) -> list[tuple[str, object]]:
        return [(use.name, use.arguments) for use in self.turn.calls]


SAYINGS = (
    Saying(name="text", turn=says(PLAIN)),
    Saying(name="text, tools offered", turn=says(PLAIN), tools=TOOLS),
    Saying(name="thought", turn=says(SUM, thinking=THOUGHT)),
    Saying(name="thought, tools offered", turn=says(SUM, thinking=THOUGHT), tools=TOOLS),
    Saying(name="call", turn=says("", WRITE), tools=TOOLS),
    Saying(name="text and call", turn=says(LOOKING, WRITE), tools=TOOLS),
    Saying(name="text and calls", turn=says(LOOKING, LOOK, READ, WRITE), tools=TOOLS),
    Saying(name="thought and call", turn=says("", LOOK, thinking=THOUGHT), tools=TOOLS),
    Saying(name="thought, text and call", turn=says(LOOKING, WRITE, thinking=THOUGHT), tools=TOOLS),
    Saying(name="thought, text and calls", turn=says(LOOKING, READ, LOOK, thinking=THOUGHT), tools=TOOLS),
)


def sayings_of(family: Family) -> list[Saying]:
    """What a family can say; gpt-oss ends its turn with its first call."""
    most = 1 if family.dialect.name == "harmony" else len(TOOLS)
    return [
        saying for saying in SAYINGS if (family.thinks or not saying.turn.thinking) and len(saying.turn.calls) <= most
    ]
