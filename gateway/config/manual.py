"""A Policy as YAML in which every key carries its meaning, and as JSON Schema: both made from the policy's own types."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import yaml

from gateway.config.load import ADAPTER
from gateway.core.policy import Policy

_WIDTH = 110


def schema() -> str:
    """The JSON Schema of a policy file, for editors."""
    made = ADAPTER.json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **made}, indent=2, ensure_ascii=False)


def manual(policy: Policy, *, as_json: bool = False) -> str:
    """The policy, whole: YAML with a comment above every key, or one JSON object."""
    if as_json:
        return json.dumps(ADAPTER.dump_python(policy, mode="json"), ensure_ascii=False)
    return "\n".join(_lines(policy, _described(), 0))


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
            first, *rest = [line for line in _lines(each, described, depth + 2) if not line.lstrip().startswith("#")]
            yield f"{indent}  - {first.lstrip()}"
            yield from rest
    else:
        yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1000, allow_unicode=True).removesuffix("...\n").strip()
