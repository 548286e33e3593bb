"""Models whose server reads no tool calls: agents finish their task, and a call that is cut at any place never leaves half a file.

`HOLDFAST_LONG=1` cuts in every way at every place for both agents, passing and lasting.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway.testing.ask import Ask
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Asked
from gateway.testing.script import Turn
from tests.agents.clients import CRUSH, MODEL, OPENCODE, WINDOW, Client, Errand, Ran, missing
from tests.agents.lane import serving
from tests.agents.rewriting import PROMPT, TASK, new_project, rewriting, state_of
from tests.agents.troubles import is_for_the_task

pytestmark = [pytest.mark.agents, pytest.mark.timeout(3600 if os.environ.get("HOLDFAST_LONG") else 600)]
LONG = bool(os.environ.get("HOLDFAST_LONG"))
AT_ONCE = 4
_LAST = r"if prices else None"  # the file's last line

# The classes of places at which a call can be cut: the end of each pattern in the text of the whole call.
PLACES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "raw-xml": {
            "in front of the opener": r"(?=<tool_call>)",
            "behind the opener": r"<tool_call>\n?",
            "in the markup of the name": r"<func",
            "in the name": r"<function=w",
            "behind the name": r"<function=write>\n",
            "in an argument's name": r"<parameter=con",
            "in front of a value": r"<parameter=content>\n",
            "in a value": r"def total",
            "at the end of a line of a value": r"sum\(prices\)\n",
            "at the end of a value": _LAST,
            "in an argument's closer": _LAST + r"\n\n</para",
            "between arguments": r"</parameter>\n(?=<parameter=content)",
            "behind the arguments": _LAST + r"\n\n</parameter>\n",
            "in the closers": _LAST + r"\n\n</parameter>\n</function>\n",
        },
        "raw-hermes": {
            "in front of the opener": r"(?=<tool_call>)",
            "behind the opener": r"<tool_call>\n?",
            "in the name": r'"name": "w',
            "behind the name": r'"name": "write"',
            "in front of the arguments": r'"arguments": \{',
            "in an argument's name": r'"con',
            "in front of a value": r'"content": "',
            "in a value": r"def total",
            "in an escape": r"Prices of the shop\.\\",
            "at the end of a value": _LAST,
            "behind a value": _LAST + r'\\n"',
            "between arguments": r'shop\.py", ',
            "behind the arguments": _LAST + r'\\n"\}',
            "in the closers": _LAST + r'\\n"\}\}',
        },
        "raw-glm": {
            "in front of the opener": r"(?=<tool_call>)",
            "behind the opener": r"<tool_call>",
            "in the name": r"<tool_call>w",
            "behind the name": r"<tool_call>write(?=<)",
            "in an argument's name": r"<arg_key>con",
            "behind an argument's name": r"<arg_key>content</arg_key>",
            "in front of a value": r"</arg_key><arg_value>(?=\"\"\")",
            "in a value": r"def total",
            "at the end of a value": _LAST + r"\n",
            "between arguments": r"shop\.py</arg_value>",
            "behind the arguments": _LAST + r"\n</arg_value>",
        },
    }
)
KINDS = (FaultKind.CAP, FaultKind.CRASH, FaultKind.SILENT_END, FaultKind.RESET_AT_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An agent, a way of writing calls, and where and how the first `write` is cut, if it is."""

    client: Client
    family: str
    place: str = ""
    kind: FaultKind = FaultKind.CAP
    lasts: bool = False

    def __str__(self) -> str:
        cut = f"{self.kind.value} {self.place}{', for ever' if self.lasts else ''}" if self.place else "whole"
        return f"{self.client}, {self.family}: {cut}"


def cases() -> Iterator[Case]:
    """In the short profile the agent that starts at once is cut everywhere, the other at the worst place."""
    for family, places in PLACES.items():
        for client in (CRUSH, OPENCODE):
            yield Case(client=client, family=family)
            for place in places:
                for kind in KINDS if LONG else KINDS[:1]:
                    if LONG or client is CRUSH or place == "in a value":
                        yield Case(client=client, family=family, place=place, kind=kind)
                if LONG or (client is CRUSH and place in {"in a value", "behind the arguments"}):
                    yield Case(client=client, family=family, place=place, lasts=True)


CASES = tuple(cases())


class Cutting:
    """The model's script, which arms the fault as soon as it knows how the first `write` reads with this agent's own tool."""

    def __init__(self, case: Case, project: Path) -> None:
        self._case = case
        self._family = FAMILIES[case.family]
        self._script = rewriting(replace(TASK, root=str(project)))
        model = SimModel(
            name=MODEL, family=self._family, script=self._say, window=WINDOW, parameters={"num_ctx": WINDOW}
        )
        self.server = SimulatedOllama([model])
        self.at = 0

    def _say(self, ask: Ask) -> Turn:
        turn = self._script(ask)
        if self._case.place and not self.at and any(use.name == "write" for use in turn.calls):
            self.at = self._tokens_before(self._family.dialect.write(turn))
            times = None if self._case.lasts else 1
            self.server.faults.add(Fault(kind=self._case.kind, at=self.at, times=times, on=is_for_the_task))
        return turn

    def _tokens_before(self, text: str) -> int:
        """How many whole tokens come before the place."""
        found = re.search(PLACES[self._case.family][self._case.place], text)
        assert found, f"no such place in {text}"
        vocabulary = self._family.vocabulary
        ends = accumulate(len(vocabulary.bytes_of(token)) for token in vocabulary.encode(text))
        return sum(end <= len(text[: found.end()].encode()) for end in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a case went. `handed_over`: the content of each `write` that the agent got."""

    ran: Ran
    file: str
    struck: int
    generations: int
    handed_over: list[str]
    log: str

    @property
    def told(self) -> str:
        return f"file {self.file}, struck {self.struck} times, {self.generations} generations\n{self.ran.said[-1500:]}\n{self.log[-1500:]}"


async def play(case: Case, folder: Path) -> Played:
    project = new_project(folder / "project")
    cutting = Cutting(case, project)
    async with cutting.server as ollama, serving(ollama.url, folder) as gateway:
        ran = await case.client.run(
            Errand(server=gateway.url, project=project, home=folder / "home", prompt=PROMPT, seconds=300)
        )
    generations = [asked for asked in ollama.generations if is_for_the_task(asked)]
    return Played(
        ran=ran,
        file=state_of(project),
        struck=sum(len(asked.struck) for asked in generations),
        generations=len(generations),
        handed_over=[content for asked in ollama.requests for content in contents(asked)],
        log=(folder / "gateway.log").read_text(),
    )


def contents(asked: Asked) -> Iterator[str]:
    """What is written by the calls in a request's history: those that the agent has been given."""
    messages = asked.body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        for call in message.get("tool_calls") or ():
            if call["function"]["name"] == "write":
                yield str(call["function"]["arguments"].get("content"))


@pytest.fixture(scope="module")
def played(wanted: list[Mapping[str, object]], tmp_path_factory: pytest.TempPathFactory) -> Mapping[Case, Played]:
    """Every case, some side by side; read one by one below."""
    chosen = [parameters["case"] for parameters in wanted]
    folder = tmp_path_factory.mktemp("played")

    async def play_all() -> Mapping[Case, Played]:
        room = asyncio.Semaphore(AT_ONCE)
        present = [case for case in CASES if case in chosen and not missing(case.client)]

        async def one(number: int, case: Case) -> Played:
            async with room:
                return await play(case, folder / str(number))

        return dict(zip(present, await asyncio.gather(*(one(*each) for each in enumerate(present))), strict=True))

    return asyncio.run(play_all())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_half_file_is_ever_written(played: Mapping[Case, Played], case: Case) -> None:
    if why := missing(case.client):
        pytest.skip(str(why))
    got = played[case]
    assert bool(got.struck) == bool(case.place), got.told
    assert set(got.handed_over) <= {TASK.after}, got.told
    assert got.file in {"right", "untouched"}, got.told
    if not case.lasts:
        assert (got.file, got.ran.status) == ("right", 0), got.told
        assert got.generations <= case.client.generations + 2, got.told
