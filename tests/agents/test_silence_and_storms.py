"""Real agents through silence, crashes and lasting failures: each task is finished, no file is cut, and no storm costs more than 3 generations.

`HOLDFAST_LONG=1` waits 330 s for the first token, longer than OpenCode's own 300, and plays every trouble of the table.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TypeAlias

import pytest

from tests.agents import installed
from tests.agents.clients import CLIENTS, Client, missing
from tests.agents.storms import troubles
from tests.agents.troubles import (
    CRASH_FOR_EVER,
    CRASH_IN_CALL,
    CRASH_IN_TEXT,
    GONE_FOR_EVER,
    Met,
    Trouble,
    meet_all,
    most,
    silence,
)

pytestmark = [pytest.mark.agents, pytest.mark.timeout(1200)]
LONG = bool(os.environ.get("HOLDFAST_LONG"))
SHORT = (GONE_FOR_EVER, CRASH_FOR_EVER, silence(12), CRASH_IN_TEXT, CRASH_IN_CALL)
TROUBLES = troubles(long=True) if LONG else SHORT
AT_ONCE = 6
All: TypeAlias = Mapping[tuple[str, str], Met | installed.Missing]


@pytest.fixture(scope="module")
def played(wanted: list[Mapping[str, object]], tmp_path_factory: pytest.TempPathFactory) -> All:
    """Every agent through every trouble, side by side, since most of their time is waiting; read one by one below."""
    chosen = [(each["client"], each["trouble"]) for each in wanted]
    absent = {client: why for client in CLIENTS if (why := missing(client))}
    pairs = [(client, each) for each in TROUBLES for client in CLIENTS if client not in absent]
    runs = [(*pair, True) for pair in pairs if pair in chosen]
    met = asyncio.run(meet_all(runs, folder=tmp_path_factory.mktemp("met"), at_once=AT_ONCE))
    none: dict[tuple[str, str], Met | installed.Missing] = {
        (client.name, each.name): why for client, why in absent.items() for each in TROUBLES
    }
    return none | {(each.client.name, each.trouble.name): each for each in met}


@pytest.mark.parametrize("client", CLIENTS, ids=str)
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_an_agent_comes_through(played: All, client: Client, trouble: Trouble) -> None:
    met = played[client.name, trouble.name]
    if isinstance(met, installed.Missing):
        pytest.skip(str(met))
    print(f"{client}, {trouble}: {met.generations} generations, {met.seconds:.0f} s, file {met.file}")
    assert met.file != "BROKEN", met.told
    assert met.status is not None, met.told
    assert met.finished or not trouble.passes, met.told
    assert met.generations <= most(client, trouble), met.told
