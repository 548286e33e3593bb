"""A tool counts as writing unless its name says that it only reads."""

from __future__ import annotations

import pytest

from gateway.core.calls import writes


@pytest.mark.parametrize(
    "name",
    [
        "read_file",
        "Read",
        "view",
        "ls",
        "GrepTool",
        "list_directory",
        "web_search",
        "todoread",
        "mcp__github__get_issue",
        "fetch",
    ],
)
def test_reads(name: str) -> None:
    assert not writes(name)


@pytest.mark.parametrize(
    "name",
    [
        "write",
        "bash",
        "edit_file",
        "TodoWrite",
        "todowrite",
        "search_replace",
        "read_and_delete",
        "multi_edit",
        "sql_query",
        "x",
        "",
        "格",
    ],
)
def test_writes(name: str) -> None:
    assert writes(name)


def test_policy_may_call_more_tools_harmless() -> None:
    assert not writes("consult_oracle", reading=["consult_oracle"])
    assert writes("consult_oracle", reading=["consult"])
