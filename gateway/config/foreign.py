"""Reads other programs' files, YAML and JSON with comments, as plain data. Law: whatever they hold, nothing is raised."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import yaml

_COMMENTS = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMAS = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is not what its name says, and where."""

    why: str


def from_yaml(text: str) -> object | Unreadable:
    """The data in a YAML text."""
    try:
        data: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"line {mark.line + 1}: " if mark else ""
        return Unreadable(f"{at}{error.problem or 'not YAML'}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Unreadable(f"not YAML: {error}")
    return data


def from_json(text: str) -> object | Unreadable:
    """The data in a JSON text, which may have comments and trailing commas (OpenCode's and Crush's do)."""
    plain = _COMMAS.sub(_only_strings, _COMMENTS.sub(_only_strings, text.removeprefix("\ufeff")))
    try:
        data: object = json.loads(plain)
    except json.JSONDecodeError as error:
        return Unreadable(f"line {error.lineno}: {error.msg}")
    except RecursionError:
        return Unreadable("nested too deeply")
    return data


def _only_strings(match: re.Match[str]) -> str:
    """What stays of a match: a string as it is, lines of a comment, so that errors name the right one."""
    return match[1] or "\n" * match[0].count("\n")
