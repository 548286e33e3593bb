"""What the simulated models say in these tests: turns of every shape, written so that a careless join would show."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A turn that is meant, and whether tools are offered with the request for it."""

    turn: Turn
    tools: bool = False

    @property
    def thinks(self) -> bool:
        return bool(self.turn.thinking)


SAYINGS: Mapping[str, Saying] = {
    "text": Saying(turn=says(PLAIN)),
    "text, tools offered": Saying(turn=says(PLAIN), tools=True),
    "thought": Saying(turn=says(SUM, thinking=THOUGHT)),
    "thought, tools offered": Saying(turn=says(SUM, thinking=THOUGHT), tools=True),
    "call": Saying(turn=says("", WRITE), tools=True),
    "text and call": Saying(turn=says(LOOKING, WRITE), tools=True),
    "text and calls": Saying(turn=says(LOOKING, LOOK, READ, WRITE), tools=True),
    "thought and call": Saying(turn=says("", LOOK, thinking=THOUGHT), tools=True),
    "thought, text and calls": Saying(turn=says(LOOKING, READ, LOOK, thinking=THOUGHT), tools=True),
}


def sayings_of(family: Family) -> list[str]:
    """The names of what a family can say."""
    return [name for name, saying in SAYINGS.items() if family.thinks or not saying.thinks]
