from __future__ import annotations

import pytest

from gateway.core.compaction.marks import mark
from gateway.core.compaction.outputs import error_lines, failed, last_error, tells_error, without_middle

WRONG = [
    "ValueError: no",
    "error: cannot find symbol",
    "E   assert 1 == 2",
    "FAIL src/a.test.ts",
    "cat: a.py: No such file or directory",
    "bash: foo: command not found",
    "panicked at src/main.rs",
    "Process exited with code 2",
    "<returncode>1</returncode>",
    "3 failed, 2 passed",
]
RIGHT = [
    "0 errors",
    "no failures",
    "Failed: 0",
    "all is well",
    "<returncode>0</returncode>",
    "exit code 0",
    "10 passed",
]


@pytest.mark.parametrize("line", WRONG)
def test_lines_that_tell_of_errors(line: str) -> None:
    assert tells_error(line)


@pytest.mark.parametrize("line", RIGHT)
def test_lines_that_do_not(line: str) -> None:
    assert not tells_error(line)


def test_the_last_errors_are_found() -> None:
    text = "start\nerror: one\nfine\n  error: two\nend"
    assert error_lines(text, 20) == ["error: one", "error: two"]
    assert error_lines(text, 1) == ["error: two"]
    assert last_error(text) == "error: two"
    assert last_error("fine") == ""


def test_only_a_short_output_can_be_a_failure() -> None:
    assert failed("Error: oldText not found in a.py")
    assert not failed("ok\nerror handling was added")
    assert not failed("error\n" + "x" * 1000)


def test_a_short_text_keeps_its_middle() -> None:
    assert without_middle("a\nb\nc", 100) == "a\nb\nc"


def test_the_middle_goes_but_for_its_errors() -> None:
    lines = [f"line {i}" for i in range(500)]
    lines[250] = "error: in the middle"
    cut = without_middle("\n".join(lines), 400)
    assert cut.startswith("line 0\nline 1\n")
    assert cut.endswith("line 498\nline 499")
    assert mark("452 lines, 4,006 characters left out but for these") + "\nerror: in the middle\n" in cut
    assert len(cut) < 600


def test_a_text_without_line_ends_is_cut_all_the_same() -> None:
    cut = without_middle("x" * 10_000, 1000)
    assert cut == "x" * 500 + "\n" + mark("1 line, 9,000 characters left out") + "\n" + "x" * 500
