"""The compose files start a gateway that only this machine reaches, with settings and a policy that it takes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest
import yaml
from pydantic import TypeAdapter

from gateway.cli import serve
from gateway.cli.settings import Settings, settings_of
from gateway.config.load import load
from gateway.core.policy import Policy
from gateway.server.door import host_is_ours

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "deploy/compose.host-ollama.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The keys of a compose service that matter here."""

    image: str
    build: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[str] = ()
    volumes: Sequence[str] = ()
    read_only: bool = False
    cap_drop: Sequence[str] = ()
    security_opt: Sequence[str] = ()
    init: bool = False
    privileged: bool = False
    network_mode: str = "bridge"
    stop_grace_period: str = "10s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    services: Mapping[str, Service]
    volumes: Mapping[str, None]


def read(file: str) -> Compose:
    return TypeAdapter(Compose).validate_python(yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))


def settings_in(file: str) -> Settings:
    """What `holdfast serve` makes of the service's command and environment, with the mounted folder put back in place."""
    gateway = read(file).services["gateway"]
    parser = argparse.ArgumentParser()
    serve.add_to(parser.add_subparsers())
    arguments = parser.parse_args(gateway.command)
    outside, inside = next(each.split(":")[:2] for each in gateway.volumes if "policies" in each)
    policy = PurePosixPath(arguments.policy).relative_to(inside)
    arguments.policy = str((ROOT / file).parent / outside / policy)
    return settings_of(arguments, gateway.environment)


@pytest.mark.parametrize("file", FILES)
def test_ports_are_published_on_this_machine_only(file: str) -> None:
    services = read(file).services
    published = [port for each in services.values() for port in each.ports]
    assert published == ["127.0.0.1:8484:8484"]
    assert {each.network_mode for each in services.values()} == {"bridge"}


@pytest.mark.parametrize("file", FILES)
def test_the_gateway_can_write_its_state_and_nothing_else(file: str) -> None:
    compose = read(file)
    gateway = compose.services["gateway"]
    assert gateway.read_only
    assert not gateway.privileged
    assert gateway.cap_drop == ["ALL"]
    assert gateway.security_opt == ["no-new-privileges:true"]
    writable = [each for each in gateway.volumes if not each.endswith(":ro")]
    assert writable == ["state:/state"]
    assert "state" in compose.volumes


@pytest.mark.parametrize("file", FILES)
def test_the_build_context_is_the_root(file: str) -> None:
    build = read(file).services["gateway"].build
    context = ((ROOT / file).parent / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()


@pytest.mark.parametrize(
    ("file", "url"),
    [
        ("docker-compose.yml", "http://ollama:11434"),
        ("deploy/compose.host-ollama.yml", "http://host.docker.internal:11434"),
    ],
)
def test_the_gateway_listens_for_the_bridge_and_finds_its_ollama(file: str, url: str) -> None:
    settings = settings_in(file)
    assert settings.keyless
    assert (settings.policy.server.host, settings.policy.server.port) == ("0.0.0.0", 8484)
    assert {name: each.url for name, each in settings.policy.upstreams.items()} == {"ollama": url}


@pytest.mark.parametrize("file", FILES)
def test_running_answers_end_before_the_container_does(file: str) -> None:
    grace = float(read(file).services["gateway"].stop_grace_period.removesuffix("s"))
    assert grace > settings_in(file).policy.timeouts.drain


def test_the_two_files_differ_only_in_where_ollama_is() -> None:
    beside, outside = (read(file).services["gateway"] for file in FILES)
    assert beside.command == outside.command
    assert (beside.image, beside.init, beside.ports) == (outside.image, outside.init, outside.ports)
    assert [each.removeprefix("./") for each in beside.volumes] == [
        each.removeprefix("../") for each in outside.volumes
    ]


def test_the_ollama_keeps_its_models_and_is_not_published() -> None:
    compose = read("docker-compose.yml")
    ollama = compose.services["ollama"]
    assert ollama.image.startswith("ollama/ollama:")
    assert ollama.ports == ()
    assert ollama.volumes == ["models:/root/.ollama"]
    assert "models" in compose.volumes
    assert ollama.environment["OLLAMA_NUM_PARALLEL"] == "1"


def test_the_policy_knows_the_names_and_networks_of_compose_and_no_more() -> None:
    policy = load(ROOT / "policies" / "compose.yaml")
    assert all(host_is_ours(host, policy) for host in ("gateway:8484", "holdfast:8484", "127.0.0.1:8484"))
    assert not host_is_ours("gateway.example.com:8484", policy)
    assert policy.server.trusted_networks == ("172.16.0.0/12", "192.168.65.0/24")
    assert (policy.upstreams, policy.models, policy.server.origins) == ({}, (), ())
    assert policy.limits == Policy().limits
