"""A set-up to look at: a simulated Ollama with facts planted in what it tells, a home with agents' files, and `holdfast` run in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app import assemble
from gateway.cli.main import main
from gateway.config.load import with_upstreams
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.server.running import Running
from gateway.testing.api.catalogue import Catalogue
from gateway.testing.client import Client
from gateway.testing.faults import Fault
from gateway.testing.gojson import Json
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.runtime.runner import Runner


class Planted(Catalogue):
    """A catalogue whose models share files where they share a `blob`, and tell the facts planted in them.

    `info` holds keys of `model_info` by model, without the architecture; `on_gpu` the share of a model that is on the GPU.
    Lists are null unless `verbose` is asked for, as Ollama has it.
    """

    info: Mapping[str, Mapping[str, object]]
    on_gpu: Mapping[str, float]

    def show(self, name: str, *, verbose: bool) -> Json:
        model = self.find(name)
        shown = dict(super().show(name, verbose=verbose))
        digest = sha256(model.key.encode()).hexdigest()
        shown["modelfile"] = str(shown["modelfile"]).replace(model.digest, digest)
        info = dict(_object(shown["model_info"]))
        for key, value in self.info.get(model.name, {}).items():
            short = isinstance(value, list) and not verbose
            info[f"{model.family.architecture}.{key}"] = None if short else value
        return {**shown, "model_info": info}

    def running(self, runners: Iterable[Runner], time_of_day: Callable[[float], float]) -> Json:
        told = super().running(runners, time_of_day)
        entries = told["models"]
        assert isinstance(entries, list)
        shares = {self.find(name).full_name: share for name, share in self.on_gpu.items()}
        return {
            "models": [{**each, "size_vram": int(each["size"] * shares.get(each["name"], 1.0))} for each in entries]
        }


def _object(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value


def planted(
    models: Iterable[SimModel],
    *,
    info: Mapping[str, Mapping[str, object]] | None = None,
    on_gpu: Mapping[str, float] | None = None,
    faults: Iterable[Fault] = (),
) -> SimulatedOllama:
    """A server, not started yet."""
    models = list(models)
    sim = SimulatedOllama(models, faults=faults)
    sim.catalogue = catalogue = Planted(models, sim.born)
    catalogue.info, catalogue.on_gpu = info or {}, on_gpu or {}
    return sim


async def load(sim: SimulatedOllama, model: str, *, window: int | None = None) -> None:
    """Bring a model into the server's memory, as another program would."""
    options = {"num_ctx": window} if window else {}
    async with Client(sim.url) as client:
        answer = await client.post("/api/generate", {"model": model, "stream": False, "options": options})
    assert answer.status == 200, answer.text


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Mapping[str, object]:
        """Standard output as the one object that it must be."""
        return _object(json.loads(self.out))


@dataclass(frozen=True, slots=True)
class House:
    """A home folder, and a project in it where commands are run."""

    home: Path
    project: Path
    capture: pytest.CaptureFixture[str]

    def write(self, name: str, text: str | Mapping[str, object]) -> Path:
        """A file of the project; a mapping is written as JSON."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))
        return path

    async def run(self, *arguments: str) -> Ran:
        """`holdfast ARGUMENTS`, in the project."""
        self.capture.readouterr()
        try:
            status = await asyncio.to_thread(main, arguments)
        except SystemExit as leave:  # argparse
            status = int(str(leave.code))
        said = self.capture.readouterr()
        return Ran(status, said.out, said.err)


@asynccontextmanager
async def serving(sim: SimulatedOllama, state: Path, *models: ModelRule) -> AsyncIterator[Running]:
    """A gateway that listens on a free port, before a server that runs."""
    policy = with_upstreams(Policy(models=models), ollama=sim.url, openai=None)
    policy = replace(policy, server=replace(policy.server, port=0))
    assembly = assemble(policy, state=state)
    running = Running(assembly.front, policy, close=assembly.close)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
