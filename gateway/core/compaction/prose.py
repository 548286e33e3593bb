"""Agents without tool calls: the action in an assistant's prose, and the user message that is really the output of a command.

Seen in: SWE-agent (fenced and <command>), mini-swe-agent, OpenHands (<execute_bash>), Cline and Roo (XML tools), Aider (SEARCH/REPLACE).
"""

from __future__ import annotations

import re

from gateway.core import jsontext
from gateway.core.compaction.calls import KINDS, call_deeds
from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.shell import shell_deeds
from gateway.core.conversation import ToolCall

_TAGS = ("command", "execute_bash", "bash")
_FENCED = re.compile(r"^```(?P<language>[^\s`]*)[^\n`]*\n(?P<command>.*?)^```", re.DOTALL | re.MULTILINE)
_SHELLS = ("", "bash", "sh", "shell", "mswea_bash_command")
_XML_TOOL = re.compile(
    rf"<(?P<tool>{'|'.join(sorted(KINDS, key=len, reverse=True))})>\s*(?P<body><\w+>.*?)</(?P=tool)>", re.DOTALL
)
_XML_FIELD = re.compile(r"<(?P<key>\w+)>(?P<value>.*?)</(?P=key)>", re.DOTALL)
_BLOCK = re.compile(r"^(?P<path>\S[^\n]*)\n(?:```[^\n]*\n)?<{5,9} SEARCH", re.MULTILINE)
_OUTPUT_BEGINS = re.compile(
    r"\s*(?:<returncode>|<output>|<exit_code>|OBSERVATION:|EXECUTION RESULT|<tool_response>|<function_results>|<tool_result>"
    r"|\[[\w-]+ for [^\n]*\] Result:|\[File: [^\n]* lines total\)\])"
)
_OUTPUT_ENDS = re.compile(r"(?:\(Current directory: [^\n]*\)\s+bash-\$|\[Command finished with exit code \d+\])\s*\Z")
_BEGINNING, _END = 2000, 400  # characters in which the beginning and the end of an output are looked for
_ACTION = 12_000  # characters of a text beyond which no action is looked for
_SWE_AGENT = {"open": "read", "edit": "change", "create": "change", "insert": "change"}
_OPEN_FILE = re.compile(r"\(Open file: (?!n/a)(?P<path>[^)\n]+)\)|\[File: (?P<file>[^\n]+?) \(\d+ lines total\)\]")


def is_output(text: str) -> bool:
    """Whether the text of a user message is the output of a command, which no person wrote."""
    return bool(_OUTPUT_BEGINS.match(text[:_BEGINNING]) or _OUTPUT_ENDS.search(text[-_END:]))


def acted(text: str) -> tuple[Deed, ...]:
    """What an assistant's prose orders the agent to do: its XML tool or its last command; () where it orders nothing."""
    if len(text) > _ACTION:
        return ()
    if tool := _XML_TOOL.search(text):
        fields = {field["key"]: field["value"].strip() for field in _XML_FIELD.finditer(tool["body"])}
        return call_deeds(ToolCall(id="", name=tool["tool"], arguments=jsontext.dumps(fields)))
    if tag := next((tag for tag in _TAGS if f"</{tag}>" in text), None):
        return _commanded(_tagged(text, tag))
    fenced = [found["command"] for found in _FENCED.finditer(text) if found["language"] in _SHELLS]
    return _commanded(fenced[-1]) if fenced else ()


def _tagged(text: str, tag: str) -> str:
    """What stands in the last `tag` that is closed."""
    before = text[: text.rfind(f"</{tag}>")]
    return before[before.rfind(f"<{tag}>") + len(tag) + 2 :]


def edited(text: str) -> tuple[str, ...]:
    """The files that an assistant's SEARCH/REPLACE blocks change, in order."""
    if "<<<<< SEARCH" not in text:
        return ()
    return tuple(dict.fromkeys(found["path"].strip("`*# :") for found in _BLOCK.finditer(text)))


def open_file(text: str) -> str:
    """The file that SWE-agent says is open, for its `edit`, which names none; "" where it says nothing."""
    found = _OPEN_FILE.search(text[-_END:]) or _OPEN_FILE.search(text[:_BEGINNING])
    return (found["path"] or found["file"]) if found else ""


def _commanded(text: str) -> tuple[Deed, ...]:
    command = text.strip()
    word, _, rest = command.partition("\n")[0].partition(" ")
    match _SWE_AGENT.get(word):
        case "read":
            return (Deed("read", rest.split(" ")[0], command=command),)
        case "change":
            return (Deed("change", rest.split(" ")[0] if word == "create" else "", command=command),)
        case _:
            return tuple(shell_deeds(command))
