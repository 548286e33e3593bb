"""Reads the YAML of a policy. Law: whatever a file holds, it costs little, and NotTaken is all that is raised.

PyYAML itself recurses without bound, raises ValueError on a bad date, lets the last of two like keys win, and shares
what an alias names, so that a few lines become gigabytes for whoever walks them.
"""

from __future__ import annotations

import re

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_DEEPEST = 30  # levels; a policy has six
_MOST = 50_000  # values, with all that aliases name counted each time
_QUOTED = re.compile(r"(tag|alias) '.*'")


class NotTaken(ValueError):
    """The text is no YAML that we take; the message says where and why."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, bounded in depth."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotTaken(f"{_at(self.get_mark())}: is nested too deeply")
        try:
            node: Node | None = super().compose_node(parent, index)  # type: ignore[arg-type]  # stubs want an int
        finally:
            self._depth -= 1
        return node


def read(text: str) -> object:
    """The data in a YAML text. Raises NotTaken."""
    try:
        loader = _Loader(text)  # control characters are refused here already
        node = loader.get_single_node()
        if node is None:
            return None
        _weigh(node, {})
        data: object = loader.construct_document(node)
    except NotTaken:
        raise
    except yaml.MarkedYAMLError as error:
        raise NotTaken(f"{_at(error.problem_mark)}: {_calm(error.problem or 'not YAML')}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise NotTaken(str(error).splitlines()[0]) from None
    return data


def _calm(problem: str) -> str:
    """PyYAML's words without what it quotes: a password that begins with * or ! reads as an alias or a tag."""
    return _QUOTED.sub(r"\1 …", problem)


def _at(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"


def _weigh(node: Node, known: dict[int, int]) -> int:
    """How many values a node stands for. Raises NotTaken for too many, for a circle, and for a key that is there twice."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise NotTaken(f"{_at(node.start_mark)}: holds itself by an alias; write the values out")
        return known[id(node)]
    known[id(node)] = 0
    weight = 1 + sum(_weigh(child, known) for child in _children(node))
    if weight > _MOST:
        raise NotTaken(f"{_at(node.start_mark)}: stands for too many values; use fewer aliases")
    known[id(node)] = weight
    return weight


def _children(node: Node) -> list[Node]:
    match node:
        case MappingNode():
            _once(node)
            return [each for pair in node.value for each in pair]
        case SequenceNode():
            return list(node.value)
        case _:
            return []


def _once(node: MappingNode) -> None:
    """YAML forbids a key twice, and the last one winning in silence might lose a whole section, such as `keys`."""
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, ScalarNode) and key.value in seen:
            raise NotTaken(f"{_at(key.start_mark)}: a key is there for the second time; keep one of them")
        if isinstance(key, ScalarNode):
            seen.add(key.value)
