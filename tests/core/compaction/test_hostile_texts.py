"""Texts made to be slow to read: whatever a model or a web page wrote, compaction takes no longer for it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.core.compaction.calls import call_deeds
from gateway.core.compaction.outputs import error_lines, last_error, without_middle
from gateway.core.compaction.prose import acted, edited, is_output, open_file
from gateway.core.compaction.shell import shell_deeds, unfiltered
from gateway.core.compaction.stages.tidy import tidied
from gateway.core.conversation import ToolCall

PIECES = [
    "<write><path>",
    "<command>",
    "```bash\n",
    "```",
    "[a for ",
    "[File: x ",
    "(Open file: ",
    "(Current directory: ",
    "<<EOF\n",
    "sed -i ",
    "cat a | ",
    "|cat 'a' ",
    "rm -f ",
    "> > ",
    "a.py\n<<<<<<< ",
    "\x1b]",
    "\x1b[0;",
    "\r",
    " ",
    "\t\n",
    "error error: 0 ",
    "*** Update File: ",
    "'\"",
]
READERS: list[Callable[[str], object]] = [
    acted,
    edited,
    is_output,
    open_file,
    last_error,
    lambda text: error_lines(text, 9),
    lambda text: list(shell_deeds(text)),
    lambda text: unfiltered(text[:400]),
    lambda text: tidied(text, 2000),
    lambda text: without_middle(text, 4000),
    lambda text: call_deeds(ToolCall(id="1", name="apply_patch", arguments=json.dumps({"patch": text}))),
    lambda text: call_deeds(ToolCall(id="1", name="bash", arguments=json.dumps({"command": text}))),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", PIECES)
def test_no_text_is_slow_to_read(piece: str) -> None:
    for text in (piece * (200_000 // len(piece)), piece * (12_000 // len(piece)), f"x{piece}" * 800):
        for reader in READERS:
            reader(text)
