"""Agents' files: what is read from each, where they are looked for, and that nothing in them does harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.client_configs import Found, find

OURS = "http://127.0.0.1:8484"


def looked(home: Path, *, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Found:
    return find(folder=folder or home, home=home, environment=environment or {}, ours=lambda url: url.startswith(OURS))


def provider(url: str, *, window: int = 32_768, name: str = "m") -> dict[str, object]:
    return {"type": "openai-compat", "base_url": url, "models": [{"id": name, "context_window": window}]}


def test_nothing_is_found_in_an_empty_home(tmp_path: Path) -> None:
    assert looked(tmp_path) == Found()


@pytest.mark.parametrize(
    "place", ["crush.json", ".crush.json", ".config/crush/crush.json", ".local/share/crush/crush.json"]
)
def test_crush_is_found_in_its_places(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"providers": {"holdfast": provider(f"{OURS}/v1")}}))
    found = looked(tmp_path)
    assert [(each.agent, each.url, each.file) for each in found.endpoints] == [("Crush", f"{OURS}/v1", str(file))]
    assert [(each.model, each.tokens) for each in found.claims] == [("m", 32_768)]


@pytest.mark.parametrize(
    "place", ["opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".config/opencode/opencode.json"]
)
def test_opencode_is_found_in_its_places_comments_and_all(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        """{ // where it is
          "provider": { "holdfast": {
            "options": { "baseURL": "OURS/v1", "timeout": false, "headerTimeout": 60000, /* milliseconds */ },
            "models": { "label": { "id": "m:30b", "limit": { "context": 65536, "output": 8192 }, }, "bare": {} },
          } } }""".replace("OURS", OURS)
    )
    found = looked(tmp_path)
    (endpoint,) = found.endpoints
    assert (endpoint.agent, endpoint.timeout, endpoint.total) == ("OpenCode", 60.0, float("inf"))
    (claim,) = found.claims
    assert (claim.model, claim.tokens) == ("m:30b", 65_536)
    assert json.loads("{" + claim.lines[0].replace("{tokens}", "1") + "}") == {
        "label": {"limit": {"context": 1, "output": 8192}}
    }


def test_aider_by_its_settings_its_options_and_its_environment(tmp_path: Path) -> None:
    (tmp_path / ".aider.model.settings.yml").write_text(
        "- name: ollama_chat/m:30b\n  extra_params:\n    num_ctx: 65576\n"
        "- name: openai/other\n- name: 7\n- nonsense\n- name: x\n  extra_params: [1]\n"
    )
    (tmp_path / ".aider.conf.yml").write_text(
        f"openai-api-base: {OURS}\ntimeout: 300\nset-env: OLLAMA_API_BASE={OURS}/\n"
    )
    found = looked(tmp_path, environment={"OPENAI_API_BASE": f"{OURS}/v1/", "OLLAMA_API_BASE": "http://elsewhere:1"})
    assert [(each.model, each.tokens) for each in found.claims] == [("m:30b", 65_576)]
    assert [(each.file, each.surface, each.url, each.timeout) for each in found.endpoints] == [
        ("environment", "openai", f"{OURS}/v1/", None),
        (str(tmp_path / ".aider.conf.yml"), "openai", OURS, 300.0),
        (str(tmp_path / ".aider.conf.yml"), "ollama", f"{OURS}/", 300.0),
    ]


def test_files_are_looked_for_from_the_folder_up_to_the_home_and_no_further(tmp_path: Path) -> None:
    home, deep = tmp_path / "home", tmp_path / "home" / "a" / "b"
    deep.mkdir(parents=True)
    for folder in (tmp_path, home, home / "a", deep):
        (folder / "crush.json").write_text(json.dumps({"providers": {"h": provider(OURS)}}))
    found = looked(home, folder=deep)
    assert [each.file for each in found.endpoints] == [
        str(deep / "crush.json"),
        str(home / "a" / "crush.json"),
        str(home / "crush.json"),
    ]


def test_what_points_elsewhere_is_none_of_our_business(tmp_path: Path) -> None:
    elsewhere = provider("https://openrouter.example/api/v1", window=4096)
    (tmp_path / "crush.json").write_text(json.dumps({"providers": {"away": elsewhere, "h": provider(OURS, name="n")}}))
    found = looked(tmp_path)
    assert [each.url for each in found.endpoints] == [OURS]
    assert [each.model for each in found.claims] == ["n"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("crush.json", '{\n "providers": {x}}', "line 2: Expecting property name enclosed in double quotes"),
        ("opencode.jsonc", "", "line 1: Expecting value"),
        (".aider.conf.yml", "a: [1", "line 1"),
        (".aider.model.settings.yml", "a: !python/object:x {}", "could not determine a constructor"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text)
    found = looked(tmp_path)
    assert why in found.unreadable[str(tmp_path / name)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KNOWN = st.sampled_from(
    ["providers", "provider", "models", "options", "limit", "context", "base_url", "baseURL", "timeout", "id", "context_window"]
)  # fmt: skip


@given(st.recursive(JSON, lambda inner: st.dictionaries(KNOWN, inner | st.lists(inner, max_size=2), max_size=4)))
def test_no_file_does_harm(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in ("crush.json", "opencode.json", ".aider.conf.yml", ".aider.model.settings.yml"):
        (home / name).write_text(json.dumps(data))
    found = looked(home)
    assert all(isinstance(claim.tokens, int) for claim in found.claims)
