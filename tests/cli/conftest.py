"""A home and a project of their own for each test, and an environment that names no server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.house import House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    for name in os.environ:
        if name.startswith(("HOLDFAST_", "OLLAMA_", "OPENAI_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(project)
    return House(home=tmp_path / "home", project=project, capture=capsys)
