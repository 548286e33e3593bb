"""The systemd unit: a command that the gateway takes, a user of its own, and time to drain."""

from __future__ import annotations

import argparse
import shlex
from collections import defaultdict
from pathlib import Path

import pytest

from gateway.cli import serve
from gateway.core.policy import Policy

ROOT = Path(__file__).parents[2]


def read_unit() -> dict[str, dict[str, list[str]]]:
    """Sections, keys and every value that a key is given, in order."""
    unit: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / "holdfast.service").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), defaultdict(list))
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key].append(value)
    return unit


def test_it_has_the_three_sections_and_starts_with_the_machine() -> None:
    unit = read_unit()
    assert list(unit) == ["Unit", "Service", "Install"]
    assert unit["Install"]["WantedBy"] == ["multi-user.target"]


def test_its_command_is_one_that_the_gateway_takes() -> None:
    program, *arguments = shlex.split(read_unit()["Service"]["ExecStart"][0])
    parser = argparse.ArgumentParser()
    serve.add_to(parser.add_subparsers())
    assert Path(program).name == "holdfast"
    assert parser.parse_args(arguments).run is serve.run


def test_running_answers_end_before_it_is_killed() -> None:
    patience = float(read_unit()["Service"]["TimeoutStopSec"][0].removesuffix("s"))
    assert patience > Policy().timeouts.drain


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("StateDirectory", "holdfast"),
        ("StateDirectoryMode", "0700"),
    ],
)
def test_it_may_do_little(key: str, value: str) -> None:
    assert read_unit()["Service"][key] == [value]


def test_its_state_is_where_systemd_lets_it_write() -> None:
    service = read_unit()["Service"]
    assert "HOLDFAST_STATE=%S/holdfast" in service["Environment"][0].split()
