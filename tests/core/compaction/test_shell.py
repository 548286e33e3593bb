from __future__ import annotations

import pytest

from gateway.core.compaction.deeds import Deed, Span
from gateway.core.compaction.shell import shell_deeds, unfiltered

READS = [
    ("cat src/a.py", "src/a.py", Span()),
    ("  nl -ba src/a.py\n", "src/a.py", Span()),
    ("sed -n '10,20p' a.py", "a.py", Span(10, 20)),
    ("nl -ba a.py | sed -n '10,20p'", "a.py", Span(10, 20)),
    ("head -n 30 a.py", "a.py", Span(1, 30)),
    ("head -30 a.py", "a.py", Span(1, 30)),
    ("cd src && cat a.py", "src/a.py", Span()),
    ("cd src && cat /etc/hosts", "/etc/hosts", Span()),
]


@pytest.mark.parametrize(("command", "path", "span"), READS)
def test_plain_reads(command: str, path: str, span: Span) -> None:
    assert list(shell_deeds(command)) == [Deed("read", path, span, command.strip())]


@pytest.mark.parametrize(
    "command",
    [
        "make",
        "cat a.py; make",
        "cat a.py && make",
        "cd src && npm test",
        "echo hi",
        "ls\nmake",
        "find . -name core -delete",
        f"./go {'9' * 5000}",
        "",
    ],
)
def test_what_is_not_plainly_a_read_is_a_run(command: str) -> None:
    assert list(shell_deeds(command)) == [Deed("run", command=command)]


@pytest.mark.parametrize(
    "command",
    [
        "cat a.py b.py",
        "cat a.py | grep x",
        "cat $FILE",
        "sed -n '/x/p' a.py",
        "ls -la src",
        "cd src && grep -rn 'def f' . | head -5",
        "git diff HEAD~1",
        "find . -name '*.py' 2>/dev/null | xargs wc -l",
    ],
)
def test_a_look_is_neither_a_run_nor_a_change(command: str) -> None:
    assert list(shell_deeds(command)) == [Deed("other", command=command)]


def test_what_a_heredoc_says_is_no_part_of_the_command() -> None:
    assert (
        next(shell_deeds("cat > a.py <<'EOF'\nimport os\nEOF\npython a.py")).command
        == "cat > a.py <<'EOF'\npython a.py"
    )


CHANGES = [
    ("echo x > a.txt", ["a.txt"]),
    ("echo x >> a.txt", ["a.txt"]),
    ("cat <<'EOF' > a.py\nif a > b:\n    pass\nEOF", ["a.py"]),
    ("cat > a.py << EOF\nx >> y\nEOF\npython a.py", ["a.py"]),
    ("make | tee -a build.log", ["build.log"]),
    ("sed -i 's/a/b/' src/a.py", ["src/a.py"]),
    ("sed -i '1s/a/b/' a.py && make", ["a.py"]),
    ("rm -f a.py", ["a.py"]),
    ("mv a.py b.py", ["b.py"]),
    ("cp -r a.py b.py; make", ["b.py"]),
    ("make 2>&1 >/dev/null", []),
    ("echo a > x && echo b > x", ["x"]),
    ("python -c 'print(1)' 2> err.log", []),
]


@pytest.mark.parametrize(("command", "paths"), CHANGES)
def test_the_files_that_a_command_changes(command: str, paths: list[str]) -> None:
    first, *changes = shell_deeds(command)
    assert first.kind == "run"
    assert changes == [Deed("change", path) for path in paths]


FILTERED = [
    ("npm test 2>&1 | tail -5", "npm test"),
    ("npm test | grep -E '(error|fail)' | head", "npm test"),
    ('make 2>&1 | grep "a|b"', "make"),
    ("make", "make"),
    ("cat a | sort | ./run", "cat a | sort | ./run"),
    ("", ""),
    ("|cat 'a' " * 40 + "|", "|cat 'a' " * 40 + "|"),
]


@pytest.mark.parametrize(("line", "bare"), FILTERED)
def test_filters_of_the_output_are_no_part_of_a_command(line: str, bare: str) -> None:
    assert unfiltered(line) == bare


def test_a_line_number_beyond_reason_is_no_read() -> None:
    assert next(shell_deeds(f"head -n {'9' * 5000} a.py")).kind == "other"
