"""A folder with the lane's task in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.lane import BEFORE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one Python file and the check that its task asks for."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(BEFORE)
    return folder
