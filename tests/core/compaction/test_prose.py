from __future__ import annotations

import pytest

from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.prose import acted, edited, is_output, open_file

OUTPUTS = [
    "<returncode>0</returncode>\n<output>\nx\n</output>",
    "OBSERVATION:\nx",
    "EXECUTION RESULT of [execute_bash]:\nx",
    "x\n(Open file: n/a)\n(Current directory: /repo)\nbash-$",
    "[read_file for 'a.py'] Result:\n1 | x",
    "[File: /a.py (3 lines total)]\n1:x",
    "x\n[Command finished with exit code 1]",
    "<tool_response>\nx\n</tool_response>",
]
REQUESTS = ["Fix it.", "the output is <output>", "why OBSERVATION: x?", "bash-$ is my prompt, and what now?", ""]


@pytest.mark.parametrize("text", OUTPUTS)
def test_an_output_in_a_users_message_is_known(text: str) -> None:
    assert is_output(text)


@pytest.mark.parametrize("text", REQUESTS)
def test_what_a_person_wrote_is_no_output(text: str) -> None:
    assert not is_output(text)


ACTIONS = [
    ("I look.\n```\nls -la\n```", Deed("other", command="ls -la")),  # SWE-agent
    ("I look.\n<command>\nmake -B\n</command>", Deed("run", command="make -B")),
    ("I look.\n```mswea_bash_command\ncat a.py\n```\n", Deed("read", "a.py", command="cat a.py")),
    ("<execute_bash>\nmake\n</execute_bash>", Deed("run", command="make")),  # OpenHands
    ("<execute_command>\n<command>make</command>\n</execute_command>", Deed("run", command="make")),  # Cline
    ("<read_file>\n<path>src/a.py</path>\n</read_file>", Deed("read", "src/a.py")),
    ("<command>\ncreate a.py\n</command>", Deed("change", "a.py", command="create a.py")),
    ("<command>\nopen a.py 12\n</command>", Deed("read", "a.py", command="open a.py 12")),
    ("<command>\nedit 1:2\nx = 1\nend_of_edit\n</command>", Deed("change", command="edit 1:2\nx = 1\nend_of_edit")),
    ("first ```x``` then\n```bash\nls\n```\nor\n```bash\nmake\n```", Deed("run", command="make")),
]


@pytest.mark.parametrize(("text", "deed"), ACTIONS)
def test_the_action_in_an_assistants_prose(text: str, deed: Deed) -> None:
    assert acted(text) == (deed,)


@pytest.mark.parametrize("text", ["It is done.", "```python\nprint(1)\n```", "", "<read_file>no closer"])
def test_prose_without_an_action(text: str) -> None:
    assert acted(text) == ()


def test_search_replace_blocks_change_files() -> None:
    text = (
        "Here:\n\nsrc/a.py\n```python\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
        "and\n`src/b.py`\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"
        "src/a.py\n```python\n<<<<<<< SEARCH\ny\n=======\nz\n>>>>>>> REPLACE\n```"
    )
    assert edited(text) == ("src/a.py", "src/b.py")
    assert edited("no blocks") == ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("done\n(Open file: /repo/a.py)\n(Current directory: /repo)\nbash-$", "/repo/a.py"),
        ("[File: /repo/a.py (9 lines total)]\n1:x", "/repo/a.py"),
        ("(Open file: n/a)", ""),
        ("nothing", ""),
    ],
)
def test_the_open_file(text: str, path: str) -> None:
    assert open_file(text) == path
