"""Where a path lies, told without looking at any disk: absolute, plain, under which root. What can't be told is None, hence local."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import unquote

from gateway.core.policy.privacy import Label

# What only a shell, a server or a disk could resolve: variables, substitutions, other people's homes, encoded dots, drives.
_UNTOLD = re.compile(
    r"[\0-\x1f\x7f]|\$|`|%[0-9A-Fa-f]{2}|%\w+%|\A~[^/\\]|\A[A-Za-z]:(?![\\/])|\A\\(?!\\)|\A[\\/]{2}[?.][\\/]"
)
_DRIVE = re.compile(r"([A-Za-z]):/")
_GLOB = re.compile(r"[*?\[{]")
_LINE = re.compile(r":\d+(?:[:-]\d+)?\Z")  # a line number behind a path


@lru_cache(maxsize=8192)  # the same few hundred paths come with every turn
def absolute(path: str, bases: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path as an absolute one, plain: itself, or below each of the `bases`. None where that can't be told.

    Backslashes count as slashes, drives and shares as lower case, `~` as a folder of its own. A pattern stands for the folder
    that it begins in. `..` is undone only at the beginning of a relative path: after a name, a link may lead anywhere.
    """
    said = _LINE.sub("", unquote(path.removeprefix("file://")) if path.startswith("file://") else path)
    if not said or _UNTOLD.search(said) or unicodedata.normalize("NFKC", said) != unicodedata.normalize("NFC", said):
        return None
    plain = said.replace("\\", "/")
    if drive := _DRIVE.match(plain):
        plain = f"/{drive[1]}:/{plain[3:]}".lower()
    elif said.startswith("\\\\"):
        plain = plain.lower()
    if plain.startswith(("/", "~/")) or plain == "~":
        lies = _plain(plain)
        return None if lies is None else (lies,)
    below = tuple(found for found in (_below(base, plain) for base in bases) if found)
    return below if below and len(below) == len(bases) else None


def _plain(path: str) -> str | None:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        return None
    kept = parts[: next((place for place, part in enumerate(parts) if _GLOB.search(part)), len(parts))]
    return ("//" if path.startswith("//") else "" if path.startswith("~") else "/") + "/".join(kept)


def _below(base: str, path: str) -> str | None:
    top = absolute(base, ())
    if top is None:
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    up = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    folders = top[0].split("/")
    if up >= len(folders) - 1 and up:
        return None
    return _plain("/".join([*folders[: len(folders) - up], *parts[up:]]) or "/")


def plain_roots(roots: Mapping[str, Label]) -> Sequence[tuple[str, Label]]:
    """The roots of a policy as plain absolute paths; what is no such path is no root."""
    tops = ((absolute(root, ()), label) for root, label in roots.items())
    return [(top[0], label) for top, label in tops if top]


def label_of(path: str, roots: Sequence[tuple[str, Label]]) -> Label | None:
    """The label of the innermost plain root that a plain path lies in; None outside of all. Two labels for one root make it local."""
    inside = [(len(top), label) for top, label in roots if _within(path, top)]
    innermost = {label for depth, label in inside if depth == max(inside)[0]}
    if not innermost:
        return None
    return innermost.pop() if len(innermost) == 1 else "local"


def is_neutral(path: str, neutral: Sequence[str]) -> bool:
    """Whether a plain absolute path is, or lies in, what every machine has."""
    return any(_within(path, each) for each in neutral)


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")


@lru_cache(maxsize=8192)
def is_private(path: str, private: tuple[str, ...], harmless: tuple[str, ...]) -> bool:
    """Whether a file's name, or the end of its path, is one of the private patterns and none of the harmless."""
    plain = _LINE.sub("", path).replace("\\", "/").rstrip("/").lower()
    return _ends_so(plain, private) and not _ends_so(plain, harmless)


def _ends_so(path: str, patterns: Sequence[str]) -> bool:
    name = path.rsplit("/", 1)[-1]
    return any(fnmatchcase(f"/{path}", f"*/{each}") if "/" in each else fnmatchcase(name, each) for each in patterns)
