"""A policy file to a Policy. Every error at once, each with file, path, what was found and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.check import complaints
from gateway.config.reading import NotTaken, read
from gateway.core.policy import Policy
from gateway.core.policy.upstreams import Upstream

ADAPTER = TypeAdapter(Policy)
_LARGEST = 1 << 20
_TOLD = 40  # errors at once
_SECRET_NEAR = ("keys", "upstreams", "cloud")  # where a key or a password may stand by mistake


class BadPolicy(Exception):
    """The policy can't be used; each of `errors` names its file, its path and what would be right."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


def load(path: Path) -> Policy:
    """The policy in a file. Raises BadPolicy."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy([f"{path}: can't be read: {error}"]) from None
    if len(data) > _LARGEST:
        raise BadPolicy([f"{path}: is larger than {_LARGEST >> 20} MB; no policy needs that, so is it the right file?"])
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> Policy:
    """The policy in a text; `name` is what errors call it. Raises BadPolicy."""
    try:
        data = read(text)
    except NotTaken as error:
        raise BadPolicy([f"{name}: {error}"]) from None
    if not isinstance(data, dict | None):
        raise BadPolicy([f"{name}: holds a {type(data).__name__}; it must hold keys such as `upstreams:`"])
    try:
        policy = ADAPTER.validate_python(data or {})
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        more = [f"{name}: and {len(errors) - _TOLD} more"] if len(errors) > _TOLD else []
        raise BadPolicy([*(f"{name}: {_words(each)}" for each in errors[:_TOLD]), *more]) from None
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
    return f"{path}: found {_found(error['input'], path)}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _found(value: object, path: str) -> str:
    """What was found, in words that can stand in a log: errors go to /readyz as well."""
    if isinstance(value, dict | list | tuple | set):
        return "several values"
    if isinstance(value, str | bytes) and path.startswith(_SECRET_NEAR):
        return "a text"
    return repr(value)[:80]


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
