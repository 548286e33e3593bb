"""How the tests of the dialects read a text: in pieces of a size, to one of its two ends, with three tools at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import pytest

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, ToolReader
from gateway.core.stream import Part
from tests.core.dialects.seams import seamless

READ = ToolSpec(
    name="read_file",
    parameters={
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["path"],
    },
)
WRITE = ToolSpec(
    name="write_file",
    parameters={
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)
LIST = ToolSpec(name="list_tools", parameters={"type": "object", "properties": {}})


@pytest.fixture(scope="session")
def offered() -> tuple[ToolSpec, ...]:
    return (READ, WRITE, LIST)


@pytest.fixture(scope="session")
def read(offered: tuple[ToolSpec, ...]) -> Callable[..., list[Part]]:
    named = {dialect.name: dialect for dialect in (*DIALECTS, AUTOMATIC)}

    def read_text(
        dialect: str,
        text: str,
        *,
        size: int = 0,
        end: Literal["close", "cut"] = "close",
        tools: Sequence[ToolSpec] = offered,
        thinking: bool = False,
    ) -> list[Part]:
        reader = ToolReader(named[dialect], tools, thinking=thinking)
        size = size or len(text) or 1
        parts = [part for at in range(0, len(text), size) for part in reader.feed(text[at : at + size])]
        return seamless([*parts, *(reader.close() if end == "close" else reader.cut())])

    return read_text
