"""Gathers what the doctor judges: what servers tell of their models, the files of clients, settings. Nothing is generated or loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gateway.cli import client_configs
from gateway.cli.client_configs import Found
from gateway.cli.running_gateway import address
from gateway.cli.settings import Settings
from gateway.cli.visiting import Manner, visit
from gateway.core.diagnosis.setup import Setup
from gateway.core.memory import CACHE_TYPES

_SECRET = ("KEY", "TOKEN", "SECRET", "PASS")
_LOCAL_NAMES = ("localhost", "0.0.0.0", "[::1]")  # noqa: S104  # compared with, never bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks of an examination. `speed` in tokens a second (0.0: as `learnt` says), `memory` in bytes.

    `learnt` holds the speeds that a running Holdfast has measured, by upstream and model.
    """

    folder: Path
    home: Path
    environment: Mapping[str, str]
    model: str = ""
    speed: float = 0.0
    learnt: Mapping[tuple[str, str], float] = field(default_factory=dict)
    memory: int | None = None

    def speed_of(self, upstream: str, model: str) -> float:
        return self.speed or self.learnt.get((upstream, model), 0.0)


async def examine(settings: Settings, asked: Asked) -> Setup:
    """Everything that the doctor judges."""
    policy = settings.policy
    aliases = {rule.match: rule.model for rule in policy.models if rule.model}
    manner = Manner(
        wanted=aliases.get(asked.model, asked.model),
        speed=asked.speed_of,
        cache=next((kind for kind in CACHE_TYPES if kind == _setting(asked, "OLLAMA_KV_CACHE_TYPE").lower()), None),
        parallel=_count(_setting(asked, "OLLAMA_NUM_PARALLEL")),
    )
    visited = [await visit(name, upstream, policy, manner) for name, upstream in policy.upstreams.items()]
    gateway = address(policy.server)
    files = _files(asked, [gateway, *(server.url for server, _ in visited)])
    return Setup(
        servers=tuple(server for server, _ in visited),
        models=tuple(model for _, models in visited for model in models),
        endpoints=tuple(files.endpoints),
        claims=tuple(files.claims),
        unreadable=files.unreadable,
        environment=_ollama_settings(asked.environment),
        aliases=aliases,
        gateway=gateway,
        memory=asked.memory,
        wanted=asked.model,
    )


def _files(asked: Asked, addresses: Sequence[str]) -> Found:
    """What clients' files say, of those servers alone that are ours."""
    ours = {_place(each) for each in addresses}
    return client_configs.find(
        folder=asked.folder,
        home=asked.home,
        environment=asked.environment,
        ours=lambda url: _place(url) in ours,
    )


def _place(url: str) -> str:
    """Host and port, by one name for this machine."""
    try:
        place = urlsplit(url if "://" in url else f"http://{url}").netloc.lower()
    except ValueError:
        return ""
    for name in _LOCAL_NAMES:
        place = place.replace(name, "127.0.0.1")
    return place


def _setting(asked: Asked, name: str) -> str:
    return asked.environment.get(name, "")


def _ollama_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """OLLAMA_* but for secrets."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith("OLLAMA_") and not any(word in name for word in _SECRET)
    }


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() and int(text) > 0 else None
