"""What a command runs with: flags over HOLDFAST_*, these over the policy, that over the defaults; and where Ollama is."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli.outcome import CannotRun
from gateway.cli.settings import Settings, local_address, settings_of


def settings(flags: Mapping[str, object] | None = None, **environment: str) -> Settings:
    return settings_of(argparse.Namespace(**(flags or {})), environment)


def test_a_flag_wins_over_the_environment_over_the_policy_over_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings().policy.server.port == 8484
    (tmp_path / "policy.yaml").write_text("server: {port: 1111}\n")
    assert settings().policy.server.port == 1111
    assert settings(HOLDFAST_PORT="2222").policy.server.port == 2222
    assert settings({"port": 3333}, HOLDFAST_PORT="2222").policy.server.port == 3333
    assert settings({"port": 0}, HOLDFAST_PORT="2222").policy.server.port == 0  # a free one
    assert settings({"port": None}, HOLDFAST_PORT="2222").policy.server.port == 2222


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("http://box:1", "http://box:1"),
        ("[::]:9", "http://127.0.0.1:9"),
    ],
)
def test_ollama_host(host: str, url: str) -> None:
    found = settings(OLLAMA_HOST=host).policy.upstreams
    assert {name: each.url for name, each in found.items()} == {"ollama": url}


def test_openai_alone_means_no_ollama() -> None:
    found = settings({"openai": "http://127.0.0.1:8000/v1"}, OLLAMA_HOST="box").policy.upstreams
    assert {name: each.driver for name, each in found.items()} == {"openai": "openai"}


@pytest.mark.parametrize("url", ["ftp://h", "http://", "http://[x", "h:port", "http://h:99999", "http://h:0"])
@pytest.mark.parametrize("where", ["ollama", "openai"])
def test_what_is_no_address(url: str, where: str) -> None:
    with pytest.raises(CannotRun, match="no address of a model server; write it like"):
        settings({where: url})


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1.5"])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(CannotRun, match="no port; write a number up to 65535"):
        settings(HOLDFAST_PORT=port)


def test_state_lives_where_it_is_told_or_where_the_system_keeps_such() -> None:
    assert settings({"state": "/a"}, HOLDFAST_STATE="/b").state == Path("/a")
    assert settings(HOLDFAST_STATE="/b").state == Path("/b")
    assert settings(XDG_STATE_HOME="/c").state == Path("/c/holdfast")
    assert settings().state == Path("~/.local/state/holdfast").expanduser()


def test_an_address_without_a_scheme() -> None:
    assert local_address("https://box") == "https://box"
    assert local_address("box:1") == "http://box:1"
