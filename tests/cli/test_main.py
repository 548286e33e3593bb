"""`holdfast` itself: alone, with --version, --help of every command, and with what it does not know."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway import __version__
from gateway.cli import main as entry
from gateway.cli.main import COMMANDS, main
from gateway.cli.outcome import CannotRun
from gateway.cli.printing import duration, plain
from tests.cli.house import House


async def test_alone_it_explains_itself_and_has_not_run(house: House) -> None:
    ran = await house.run()
    assert (ran.status, ran.out) == (2, "")
    for name in COMMANDS:
        assert f"    {name}" in ran.err


async def test_the_version(house: House) -> None:
    ran = await house.run("--version")
    assert (ran.status, ran.out) == (0, f"holdfast {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_explains_itself(house: House, name: str) -> None:
    ran = await house.run(name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"usage: holdfast {name} ")
    said = ran.out.split("\n\n", 1)[1]
    assert len(said.splitlines()) > 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frob"], "invalid choice: 'frob' (choose from "),
        (["--bad"], "unrecognized arguments: --bad"),
        (["doctor", "--bad"], "unrecognized arguments: --bad"),
        (["doctor", "--memory", "much"], "'much' is no size; write it like 24GiB"),
        (["doctor", "--speed", "0"], "'0' is no speed; write tokens a second, like 400"),
        (["doctor", "--speed", "inf"], "'inf' is no speed"),
        (["compact", "f", "--window", "8k"], "'8k' is no window; write a number of tokens, like 32768"),
        (["show"], "the following arguments are required: ID"),
        (["serve", "--port", "70000"], "'70000' is no port; write a number up to 65535"),
        (["serve", "--ollama", "ftp://h"], "'ftp://h' is no address of a model server"),
        (["serve", "--policy", "nosuch.yaml"], "nosuch.yaml: can't be read"),
        (["doctor", "--policy", "bad.yaml"], "bad.yaml: serverr: this key is not known"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_on_stderr_with_status_2(house: House, arguments: list[str], said: str) -> None:
    house.write("bad.yaml", "serverr: {}\n")
    ran = await house.run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (CannotRun("mend it"), 2, "holdfast doctor: mend it\n"),
        (KeyboardInterrupt(), 2, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_how_a_command_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, status: int, said: str
) -> None:
    def run(_: object) -> int:
        raise raised

    arguments = argparse.Namespace(command="doctor", run=run)
    monkeypatch.setattr(entry, "_parser", lambda _: SimpleNamespace(parse_args=lambda _: arguments))
    if isinstance(raised, BrokenPipeError):  # it closes standard error, which the test runner still needs
        monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert main([]) == status
    if not isinstance(raised, BrokenPipeError):
        assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (367.0, "6 min 7 s"), (7500.0, "2 h 5 min")],
)
def test_durations_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_what_servers_say_moves_no_cursor() -> None:
    assert plain("a\x1b[2Jb\x00c\r\x9b1m\nd") == "a\\x1b[2Jb\\x00c\\x0d\\x9b1m\nd"


def test_every_command_is_in_the_folder_and_every_file_says_what_it_is() -> None:
    folder = Path(entry.__file__).parent
    for file in folder.glob("*.py"):
        assert file.read_text().startswith('"""'), file
    assert {f"{name}.py" for name in COMMANDS} <= {file.name for file in folder.glob("*.py")}


def test_a_light_command_loads_no_gateway() -> None:
    loaded = "import sys, gateway.cli.main as entry; entry._parser('status'); print('gateway.app' in sys.modules)"
    heavy = loaded.replace("'status'", "'serve'")
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (loaded, heavy)
    ]
    assert said == ["False\n", "True\n"]
