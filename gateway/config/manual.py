"""A Policy as YAML in which every key carries its meaning, and as JSON Schema: both made from the policy's own types."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import yaml

from gateway.config.load import ADAPTER
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.core.policy.upstreams import Upstream

_WIDTH = 110
_HEAD = """\
# The policy of Holdfast: every key with its meaning and its default. A policy file needs only the keys that differ.
# Made by `holdfast policy show --defaults`; check yours with `holdfast policy check FILE`. Edits of a running gateway's
# policy hold at once; a bad one is refused, and the old one stays.
# yaml-language-server: $schema=schema.json
"""
_EXAMPLES = {"upstreams": {"ollama": Upstream()}, "models": (ModelRule(match="qwen3-coder*"),)}


def schema() -> str:
    """The JSON Schema of a policy file, for editors."""
    made = ADAPTER.json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **made}, indent=2, ensure_ascii=False)


def manual(policy: Policy, *, as_json: bool = False) -> str:
    """The policy, whole: YAML with a comment above every key, or one JSON object."""
    if as_json:
        return json.dumps(ADAPTER.dump_python(policy, mode="json"), ensure_ascii=False)
    return "\n".join(_lines(policy, _described(), 0))


def defaults() -> str:
    """Every key with its default, and examples, commented out, of what is empty by default."""
    return _HEAD + manual(Policy()) + "\n"


def _example(name: str, described: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield f"# {name}:  (an example with every key)"
    for line in list(_field(name, _EXAMPLES[name], described, 0))[1:]:
        yield f"# {line}"


def _described() -> Mapping[str, Mapping[str, str]]:
    """Descriptions by class and field, as the JSON Schema has them."""
    made = ADAPTER.json_schema()
    everything = {**made.get("$defs", {}), made.get("title", "Policy"): made}
    return {
        name: {key: str(value.get("description", "")) for key, value in each.get("properties", {}).items()}
        for name, each in everything.items()
    }


def _lines(section: object, described: Mapping[str, Mapping[str, str]], depth: int) -> Iterator[str]:
    indent = "  " * depth
    assert is_dataclass(section)
    known = described.get(type(section).__name__, {})
    for each in fields(section):
        value = getattr(section, each.name)
        if depth == 0:
            yield ""
        for line in textwrap.wrap(known.get(each.name, ""), _WIDTH - len(indent)):
            yield f"{indent}# {line}"
        yield from _field(each.name, value, described, depth)
        if depth == 0 and not value and each.name in _EXAMPLES:
            yield from _example(each.name, described)


def _field(name: str, value: object, described: Mapping[str, Mapping[str, str]], depth: int) -> Iterator[str]:
    indent = "  " * depth
    if is_dataclass(value):
        yield f"{indent}{name}:"
        yield from _lines(value, described, depth + 1)
    elif isinstance(value, Mapping) and value and all(is_dataclass(each) for each in value.values()):
        yield f"{indent}{name}:"
        for key, each in value.items():
            yield f"{indent}  {key}:"
            yield from _lines(each, described, depth + 2)
    elif isinstance(value, tuple) and value and all(is_dataclass(each) for each in value):
        yield f"{indent}{name}:"
        for each in value:
            lines = list(_lines(each, described, depth + 2))
            first = next(place for place, line in enumerate(lines) if not line.lstrip().startswith("#"))
            yield from lines[:first]
            yield f"{indent}  - {lines[first].lstrip()}"
            yield from lines[first + 1 :]
    else:
        yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1000, allow_unicode=True).removesuffix("...\n").strip()
