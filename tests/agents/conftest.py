"""A folder with the lane's task in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the lane's own helpers: lane, installed, crush_run

from lane import BEFORE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one Python file and the check that its task asks for."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(BEFORE)
    return folder
