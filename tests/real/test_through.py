"""Every parser of a real Ollama behind the gateway: a call whole, cut at each class of place, or malformed, comes whole or ends honestly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.ollama import Ollama
from tests.real.parsers_table import HONEST, rows, table

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_no_call_comes_wrong_and_none_is_lost_in_silence(ollama: Ollama, tmp_path: Path) -> None:
    ollama.plan()
    found = await rows(ollama, tmp_path / "state")
    print(table(found))
    faults = {
        (row.dialect.name, column): f"{outcome.word}: {outcome.detail}"
        for row in found
        for column, outcome in row.through.items()
        if outcome.word not in HONEST
    }
    assert faults == {}
