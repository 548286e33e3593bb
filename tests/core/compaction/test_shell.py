from __future__ import annotations

import pytest

from gateway.core.compaction.deeds import Deed, Span
from gateway.core.compaction.shell import shell_deeds

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
    ["cat a.py b.py", "cat a.py | grep x", "cat *.py", "cat $FILE", "sed -n '/x/p' a.py", "cat a.py; make", "ls", ""],
)
def test_what_is_not_plainly_a_read_is_a_run(command: str) -> None:
    assert list(shell_deeds(command)) == [Deed("run", command=command)]


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
    assert first == Deed("run", command=command)
    assert changes == [Deed("change", path) for path in paths]
