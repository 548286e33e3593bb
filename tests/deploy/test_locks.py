"""The lock files: exact, hashed, complete for every Python that we name, and the small ones a part of the large one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "deploy/cloud.lock", "deploy/run.lock")
ENVIRONMENTS = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform}
    for version in ("3.11", "3.12", "3.13")
    for platform in ("linux", "darwin")
]
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)$"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One exact package; a marker says where it holds."""

    name: str
    version: str
    marker: str

    def holds(self, environment: dict[str, str]) -> bool:
        return not self.marker or Marker(self.marker).evaluate(environment)


def pins(file: str) -> list[Pin]:
    """Every pin of a lock file. Each must be whole: exact, with at least one hash."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = re.sub(r" \\\n\s+", " ", re.sub(r"(?m)^\s*#.*\n", "", text)).splitlines()
    found = [_PIN.match(line) for line in lines]
    assert all(found), f"{file}: not every line is an exact pin with hashes"
    return [Pin(each["name"], each["version"], each["marker"] or "") for each in found if each]


def wanted(file: str) -> list[str]:
    """What pyproject.toml asks of the set that a lock file holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    more = {
        "deploy/run.lock": [],
        "deploy/cloud.lock": project["project"]["optional-dependencies"]["cloud"],
        "requirements.lock": [
            *project["project"]["optional-dependencies"]["cloud"],
            *project["dependency-groups"]["dev"],
        ],
    }
    return [*project["project"]["dependencies"], *project["build-system"]["requires"], *more[file]]


@pytest.mark.parametrize("file", LOCKS)
@pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda each: f"{each['sys_platform']}-{each['python_version']}"
)
def test_each_lock_has_what_the_project_asks_for(file: str, environment: dict[str, str]) -> None:
    at_hand = {pin.name: pin.version for pin in pins(file) if pin.holds(environment)}
    for requirement in map(Requirement, wanted(file)):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            version = at_hand.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement} is missing: make lock"
            assert requirement.specifier.contains(version), f"{requirement} is not met by {version}: make lock"


@pytest.mark.parametrize("file", LOCKS)
@pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda each: f"{each['sys_platform']}-{each['python_version']}"
)
def test_no_package_is_pinned_twice(file: str, environment: dict[str, str]) -> None:
    names = [pin.name for pin in pins(file) if pin.holds(environment)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("small", "large"), [("deploy/run.lock", "deploy/cloud.lock"), ("deploy/cloud.lock", "requirements.lock")]
)
def test_the_small_locks_are_part_of_the_large_one(small: str, large: str) -> None:
    assert {(pin.name, pin.version) for pin in pins(small)} <= {(pin.name, pin.version) for pin in pins(large)}


@pytest.mark.parametrize("file", LOCKS)
def test_no_address_of_a_registry_or_a_machine_stands_in_a_lock(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not re.search(r"://|--index-url|--find-links|--extra-index|^\s*#.* /\w", text, re.MULTILINE)
