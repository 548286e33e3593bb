"""Stage: what the model thought before the latest user message goes. The templates of most families drop it there themselves.

A tool loop that still runs keeps its thoughts: gpt-oss needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gateway.core.compaction.entries import retold
from gateway.core.compaction.stages.scene import Change, Scene

_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>\s*", re.DOTALL)


def reasoning(scene: Scene) -> Iterator[Change]:
    """Assistant messages of past turns without their thoughts, in their own field or before the text; what would be empty stays."""
    for index, entry in enumerate(scene.live[: min(scene.old, scene.latest)] if scene.latest > 0 else ()):
        message = entry.message
        if message.role != "assistant":
            continue
        text = message.text
        rest = _THOUGHT.sub("", text)
        if (message.thinking or rest != text) and (rest or message.calls):
            quiet = replace(message, thinking="")
            yield index, quiet if rest == text else retold(quiet, rest)
