from __future__ import annotations

import pytest

from gateway.core.compaction.digest import DETAILS, END, least, record
from gateway.core.compaction.ledger import File, Ledger, Request, Run

LEDGER = Ledger(
    messages=57,
    requests=[Request(0, "Write a parser"), Request(9, "Now the tests", "All tests pass."), Request(30, "Ship it")],
    files={"a.py": File("a.py", 3), "b.py": File("b.py"), "c.py": File("c.py", 1)},
    runs={"make": Run("make", 2, "all done"), "ls": Run("ls", 1, "")},
    errors={"npm test": "1 failed"},
    notes=["I will use a table."],
    plan="ship open",
)

WHOLE = """\
[holdfast: 55 earlier messages are replaced by this record]
The user asked, in this order:
- (above)
- Now the tests → All tests pass.
- (below)
Files changed:
- a.py (3 times)
- c.py (once)
Files looked at, not changed:
- b.py
Commands, and the last result of each:
- `make` (2 times) → all done
- `ls` → no output
Errors not seen solved:
- npm test: 1 failed
The plan as it stood:
- ship open
Notes of the assistant:
- I will use a table.
[holdfast: end of the record; what follows is the conversation as it was]"""


def test_the_whole_record() -> None:
    assert record(LEDGER, DETAILS[0], whole={0: "(above)", 30: "(below)"}) == WHOLE


def test_the_steps_of_an_agent_without_calls() -> None:
    ledger = Ledger(messages=3, steps=[("make", "all is well")], runs={"make": Run("make", 1, "well")})
    assert "Steps, and the beginning of what each gave:\n- `make` → all is well\n" in record(
        ledger, DETAILS[0], whole={}
    )


def test_less_detail_is_shorter_and_changed_files_go_last() -> None:
    long = Ledger(
        messages=500,
        requests=[Request(i, f"request {i} " + "words " * 300, "outcome " * 60) for i in range(40)],
        files={f"src/file{i}.py": File(f"src/file{i}.py", i % 2) for i in range(300)},
        runs={f"make {i}": Run(f"make {i}", 1, "done " * 60) for i in range(40)},
        steps=[("x" * 400, "y" * 400)] * 300,
        errors={f"make {i}": "error: " + "z" * 300 for i in range(10)},
        notes=["note " * 80] * 12,
    )
    texts = [record(long, detail, whole={}) for detail in DETAILS]
    assert [len(text) for text in texts] == sorted((len(text) for text in texts), reverse=True)
    assert all("src/file299.py" in text for text in texts)
    assert all(f"request {i} " in text for i in range(40) for text in texts[:-1])
    assert len(least(long)) < len(texts[-1]) < 1200


@pytest.mark.parametrize(("gone", "words"), [(1, "1 earlier message is"), (2, "2 earlier messages are")])
def test_the_least_record_is_a_line(gone: int, words: str) -> None:
    assert least(Ledger(messages=gone + 1), 1) == f"[holdfast: {words} replaced by this record]"


def test_a_summary_stands_before_the_end_as_long_as_notes_do() -> None:
    assert record(LEDGER, DETAILS[0], whole={}, summary="## Goal").endswith(f"\n## Goal\n{END}")
    assert "## Goal" not in record(LEDGER, DETAILS[-1], whole={}, summary="## Goal")
