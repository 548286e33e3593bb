"""The real agents, installed once into `.lanes/`: Aider from PyPI, OpenCode and qwen-code from npm, in the versions that the lane was written for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LANES = Path(__file__).resolve().parents[2] / ".lanes"
AIDER = "aider-chat==0.86.2"
OPENCODE = "opencode-ai@1.18.33"
QWEN = "@qwen-code/qwen-code@0.15.10"


class Missing(Exception):
    """The agent can't be had here; the message says what is missing."""


def aider() -> Path:
    """The path of Aider, in a venv of its own (it pins what it needs)."""
    home = LANES / "aider"
    program = home / "bin" / "aider"
    if not (home / ".done").exists():
        _python_for_aider(home)
        _run([home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", AIDER])
        (home / ".done").write_text(AIDER)
    return program


def _python_for_aider(home: Path) -> None:
    """Aider 0.86 takes Python up to 3.12."""
    names = ("python3.12", "python3.11", "python3.10")
    candidates = (
        [sys.executable] if sys.version_info < (3, 13) else [found for name in names if (found := shutil.which(name))]
    )
    if not candidates:
        raise Missing("Aider needs Python 3.10 to 3.12, and none is on PATH")
    _run([candidates[0], "-m", "venv", "--clear", home])


def opencode() -> Path:
    """The path of OpenCode."""
    return _from_npm(OPENCODE, "opencode")


def qwen() -> Path:
    """The path of qwen-code."""
    return _from_npm(QWEN, "qwen")


def _from_npm(package: str, name: str) -> Path:
    home = LANES / name
    if not (home / ".done").exists():
        if shutil.which("npm") is None:
            raise Missing(f"{name} needs npm, and none is on PATH")
        home.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--prefix", home, "--no-save", "--no-audit", "--no-fund", package])
        (home / ".done").write_text(package)
    return home / "node_modules" / ".bin" / name


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(map(str, command[:4]))} … failed: {(done.stderr or done.stdout)[-400:]}")


if __name__ == "__main__":
    print(aider())
    print(opencode())
    print(qwen())
