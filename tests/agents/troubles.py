"""What happens to an agent's upstream, and what one run of an agent through it costs, with the gateway and without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.testing.faults import Fault, FaultKind
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.record import Asked, Kind
from tests.agents.clients import MODEL, Client, Errand
from tests.agents.lane import serving
from tests.agents.rewriting import PROMPT, TASK, new_project, rewriting, state_of

TEXT, CALL = 4, 120  # tokens: within each answer's text; within the file, in the call or the listing that holds it


_TASKS = ("oldString", "old_string", "file listing")  # of the edit tool in OpenCode and Crush; of Aider's instructions


def is_for_the_task(asked: Asked) -> bool:
    """A generation that is no side request, such as the one for a title: its prompt tells how to change files."""
    return asked.kind is Kind.GENERATION and any(sign in asked.prompt for sign in _TASKS)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Faults under a name. `passes`: a client can reach its goal in spite of it. After `patience` seconds it is killed."""

    name: str
    faults: tuple[Fault, ...]
    passes: bool = True
    patience: float = 420

    def __str__(self) -> str:
        return self.name


def trouble(name: str, kind: FaultKind, *, at: int = 0, times: int | None = 1, seconds: float = 0.0) -> Trouble:
    """One fault, which befalls the task's own generations."""
    fault = Fault(kind=kind, at=at, times=times, seconds=seconds, on=is_for_the_task)
    return Trouble(name, (fault,), passes=times is not None)


CALM = Trouble("nothing", ())
CRASH_IN_TEXT = trouble("crash in the text, once", FaultKind.CRASH, at=TEXT)
CRASH_IN_CALL = trouble("crash in the file, once", FaultKind.CRASH, at=CALL)
CAPPED_IN_CALL = trouble("cut in the file by a limit, once", FaultKind.CAP, at=CALL)
SILENT_IN_CALL = trouble("clean end in the file, once", FaultKind.SILENT_END, at=CALL)
GONE_FOR_EVER = trouble("runner gone before the first token, for ever", FaultKind.GONE, times=None)
CRASH_FOR_EVER = trouble("crash in the text, for ever", FaultKind.CRASH, at=TEXT, times=None)
RESET_FOR_EVER = trouble("connection reset in the text, for ever", FaultKind.RESET_AT_TOKEN, at=TEXT, times=None)
OVERFLOW_FOR_EVER = replace(  # of which OpenCode makes hundreds of requests a minute
    trouble("the server calls the prompt too long, for ever", FaultKind.OVERFLOW, times=None), patience=150
)


def most(client: Client, trouble: Trouble) -> int:
    """Silence alone costs nothing; a failure at most 3 generations in place of one, and one that lasts ends with them.

    But where some text was delivered the end is `length`, on which an agent may ask for more of it.
    """
    if not trouble.passes:
        return 3 * client.after_length if trouble in (CRASH_FOR_EVER, RESET_FOR_EVER) else 3
    return client.generations + (2 if any(fault.seconds == 0 for fault in trouble.faults) else 0)


def silence(seconds: float) -> Trouble:
    """Nothing at all before the first token, no headers either."""
    return trouble(f"{seconds:.0f} s of silence before the first token", FaultKind.SLOW_PROMPT, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """How a client came through. `generations` are those for the task; `status` is None where it had to be killed."""

    client: Client
    trouble: Trouble
    guarded: bool
    generations: int
    file: str
    status: int | None
    seconds: float
    said: str
    log: str = ""

    @property
    def finished(self) -> bool:
        return self.file == "right" and self.status == 0

    @property
    def told(self) -> str:
        """For the message of an assertion."""
        return f"{replace(self, said='', log='')}\n{self.said[-1500:]}\n{self.log[-1500:]}"


async def meet(client: Client, met: Trouble, *, guarded: bool, folder: Path) -> Met:
    """One run of one client, on a server of its own, with a gateway of its own before it or without one."""
    project = new_project(folder / "project")
    task = replace(TASK, root=str(project)) if client.generations > 1 else TASK
    model = SimModel(name=MODEL, script=rewriting(task), window=client.window, parameters={"num_ctx": client.window})
    errand = Errand(server="", project=project, home=folder / "home", prompt=PROMPT, seconds=met.patience)
    async with SimulatedOllama([model], faults=met.faults) as ollama:
        if guarded:
            async with serving(ollama.url, folder) as gateway:
                began = time.monotonic()
                ran = await client.run(replace(errand, server=gateway.url))
        else:
            began = time.monotonic()
            ran = await client.run(replace(errand, server=ollama.url))
        took = time.monotonic() - began
    log = folder / "gateway.log"
    return Met(
        client=client,
        trouble=met,
        guarded=guarded,
        generations=sum(map(is_for_the_task, ollama.generations)),
        file=state_of(project),
        status=ran.status,
        seconds=took,
        said=ran.said,
        log=log.read_text() if log.exists() else "",
    )


async def meet_all(runs: Iterable[tuple[Client, Trouble, bool]], *, folder: Path, at_once: int) -> list[Met]:
    """All of them, some side by side: most of their time is waiting."""
    room = asyncio.Semaphore(at_once)

    async def one(number: int, client: Client, met: Trouble, guarded: bool) -> Met:
        async with room:
            return await meet(client, met, guarded=guarded, folder=folder / str(number))

    return await asyncio.gather(*(one(number, *each) for number, each in enumerate(runs)))
