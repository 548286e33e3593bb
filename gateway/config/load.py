"""A policy file to a Policy. Every error at once, each with file, path, what was found and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.check import complaints
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream

ADAPTER = TypeAdapter(Policy)


class BadPolicy(Exception):
    """The policy can't be used; each of `errors` names its file, its path and what would be right."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


def load(path: Path) -> Policy:
    """The policy in a file. Raises BadPolicy."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy([f"{path}: can't be read: {error}"]) from None
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> Policy:
    """The policy in a text; `name` is what errors call it. Raises BadPolicy."""
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise BadPolicy([f"{name}: {at}: {error.problem or 'not YAML'}"]) from None
    except yaml.YAMLError as error:
        raise BadPolicy([f"{name}: {error}"]) from None
    if not isinstance(data, dict | None):
        raise BadPolicy([f"{name}: holds a {type(data).__name__}; it must hold keys such as `upstreams:`"])
    try:
        policy = ADAPTER.validate_python(data or {})
    except ValidationError as error:
        raise BadPolicy([f"{name}: {_words(each)}" for each in error.errors()]) from None
    if found := complaints(policy):
        raise BadPolicy([f"{name}: {each}" for each in found])
    return policy


def _words(error: ErrorDetails) -> str:
    """One of pydantic's findings, as path, finding and remedy."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"]).lstrip(".")
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{path}: this key is not known; `holdfast policy show` lists those that are"
    if error["type"] == "missing":
        return f"{path}: is missing and must be given"
    found = repr(error["input"])
    return f"{path}: found {found[:80]}; {error['msg'][0].lower()}{error['msg'][1:]}"


def with_upstreams(policy: Policy, *, ollama: str | None, openai: str | None, here: str = "") -> Policy:
    """The policy with the upstreams that flags name; without any and with none of its own, the Ollama of this machine.

    `here` is where that one is, if not at its usual address.
    """
    named = {
        **({"ollama": Upstream(driver="ollama", url=ollama)} if ollama else {}),
        **({"openai": Upstream(driver="openai", url=openai, key_env="OPENAI_API_KEY")} if openai else {}),
    }
    if named:
        return replace(policy, upstreams=named)
    return policy if policy.upstreams else replace(policy, upstreams={"ollama": Upstream(url=here or Upstream().url)})
