"""A folder with the lane's task in it; and which tests of a module were chosen."""

from __future__ import annotations

from collections.abc import Mapping
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


@pytest.fixture(scope="module")
def wanted(request: pytest.FixtureRequest) -> list[Mapping[str, object]]:
    """The parameters of the module's tests that are to run: what is played side by side before them is no more than that."""
    module = request.node
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.parent is module]
    return [test.callspec.params for test in tests if hasattr(test, "callspec")]
