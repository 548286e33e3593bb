"""Recipes on disk, one file for each model digest. Law: a file is whole and of this version, or it is as if it were not there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from gateway.tokenizers.recipe import Recipe

_VERSION = 1  # to be raised with every change of what a recipe holds: fields, patterns, a server's rules
_SUFFIX = ".vocabulary"


class KeptRecipes:
    """A folder of its own (made as 0700). Errors of the disk are no errors here: then nothing is kept."""

    def __init__(self, folder: Path, *, most_bytes: int = 256 << 20) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, key: str) -> Recipe | None:
        """What was kept under this key; None too where the file is damaged, which removes it."""
        path = self._path(key)
        try:
            head, _, body = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        found = _read(body) if head == _head(key, body) else None
        with contextlib.suppress(OSError):
            if found is None:
                path.unlink()
            else:
                os.utime(path)  # the oldest goes first
        return found

    def put(self, key: str, recipe: Recipe) -> None:
        """Keep it, then let go of the oldest until the folder is within its bounds."""
        body = json.dumps(asdict(recipe), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path(key), _head(key, body) + b"\n" + body)
            self._prune()

    def _path(self, key: str) -> Path:
        return self._folder / (blake2b(key.encode(), digest_size=16).hexdigest() + _SUFFIX)

    def _prune(self) -> None:
        files = sorted(((path.stat(), path) for path in self._folder.glob("*" + _SUFFIX)), key=lambda f: f[0].st_mtime)
        total = sum(stat.st_size for stat, _ in files)
        for stat, path in files[:-1]:
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size


def _head(key: str, body: bytes) -> bytes:
    return f"holdfast vocabulary {_VERSION} {key} {blake2b(body, digest_size=16).hexdigest()}".encode()


def _read(body: bytes) -> Recipe | None:
    make: Callable[..., Recipe] = Recipe  # the checksum vouches for the fields
    try:
        fields = json.loads(body.decode("utf-8", "surrogatepass"))
        return make(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    except (ValueError, TypeError, AttributeError):
        return None


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, whoever else writes the same file."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
