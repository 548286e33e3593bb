"""What is kept on disk comes back whole, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.tokenizers.kept import KeptRecipes
from gateway.tokenizers.recipe import Recipe, recipe
from gateway.tokenizers.vocabulary import Vocabulary, built, vocabulary


@pytest.fixture(name="made")
def made_fixture(byte_info: Mapping[str, object]) -> Recipe:
    made = recipe(byte_info)
    assert isinstance(made, Recipe)
    return made


@pytest.mark.parametrize("info", ["byte_info", "line_info", "sentence_info"])
def test_every_family_comes_back(info: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    model_info = request.getfixturevalue(info)
    made = recipe(model_info)
    assert isinstance(made, Recipe)
    KeptRecipes(tmp_path).put("sha256:1 new", made)
    found = KeptRecipes(tmp_path).get("sha256:1 new")
    assert found == made
    again, fresh = built(found), vocabulary(model_info)
    assert isinstance(again, Vocabulary)
    assert isinstance(fresh, Vocabulary)
    assert again.count("the tokens of the prompt ☃<|start|>") == fresh.count("the tokens of the prompt ☃<|start|>")


def test_nobody_else_may_read_the_folder(made: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "vocabularies"
    KeptRecipes(folder).put("a", made)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda whole: whole[:-7],
    "changed": lambda whole: whole.replace(b"the", b"teh", 1),
    "empty": lambda _: b"",
    "other key": lambda whole: whole.replace(b" a ", b" b ", 1),
    "other version": lambda whole: whole.replace(b"vocabulary 1 ", b"vocabulary 0 ", 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_as_if_it_were_not_there(made: Recipe, tmp_path: Path, damage: str) -> None:
    kept = KeptRecipes(tmp_path)
    kept.put("a", made)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    assert path.read_bytes() != whole
    assert kept.get("a") is None
    assert not path.exists()
    kept.put("a", made)
    assert kept.get("a") == made


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"family":"bytes"}', b"\xff"])
def test_a_body_of_another_shape(body: bytes, made: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.tokenizers.kept._head", lambda *_: b"head")
    kept = KeptRecipes(tmp_path)
    kept.put("a", made)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"head\n" + body)
    assert kept.get("a") is None


def test_the_oldest_goes_first(made: Recipe, tmp_path: Path) -> None:
    size = _size_of(made, tmp_path / "one")
    kept = KeptRecipes(tmp_path / "more", most_bytes=3 * size)
    for at, key in enumerate("abc"):
        kept.put(key, made)
        os.utime(_newest(tmp_path / "more"), (at, at))
    assert kept.get("a") == made  # now the latest used
    kept.put("d", made)
    assert [kept.get(key) is not None for key in "abcd"] == [True, False, True, True]


def test_a_file_larger_than_the_bounds_stays_alone(made: Recipe, tmp_path: Path) -> None:
    kept = KeptRecipes(tmp_path, most_bytes=10)
    kept.put("a", made)
    kept.put("b", replace(made, why="other"))
    assert [kept.get(key) is not None for key in "ab"] == [False, True]


def test_a_folder_that_cannot_be_written_is_no_error(made: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = KeptRecipes(tmp_path / "file" / "folder")
    kept.put("a", made)
    assert kept.get("a") is None


def _size_of(made: Recipe, folder: Path) -> int:
    KeptRecipes(folder).put("a", made)
    return sum(file.stat().st_size for file in folder.iterdir())


def _newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
