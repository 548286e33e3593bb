"""What a command runs with: a flag wins over the environment, that over the policy file, that over the defaults."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from gateway.cli.outcome import CannotRun
from gateway.config.load import load, with_upstreams
from gateway.core.policy import Policy

_PORTS = 65_535
_ANYWHERE = ("0.0.0.0", "[::]", "::")  # noqa: S104  # compared with, never bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What flags and the environment say, over any policy file and any later edit of it."""

    ollama: str | None = None
    openai: str | None = None
    here: str = ""
    host: str | None = None
    port: int | None = None

    def over(self, policy: Policy) -> Policy:
        server = policy.server
        server = replace(server, host=self.host or server.host, port=server.port if self.port is None else self.port)
        return replace(with_upstreams(policy, ollama=self.ollama, openai=self.openai, here=self.here), server=server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The effective policy, where it came from, and where what is kept lives."""

    policy: Policy
    file: Path | None
    state: Path
    keyless: bool
    overrides: Overrides

    def over(self, policy: Policy) -> Policy:
        """A newer policy from the file, with what flags and the environment say."""
        return self.overrides.over(policy)


def add_upstream_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that every command takes which needs upstreams."""
    parser.add_argument("--policy", metavar="FILE", help="policy file (default: ./policy.yaml where there is one)")
    parser.add_argument("--ollama", metavar="URL", help="the Ollama to use (default: OLLAMA_HOST, else this machine's)")
    parser.add_argument("--openai", metavar="URL", help="an OpenAI-compatible server to use")
    parser.add_argument("--state", metavar="DIR", help="where what is kept lives (default: ~/.local/state/holdfast)")


def settings_of(arguments: argparse.Namespace, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings for a command's arguments. Raises BadPolicy, CannotRun."""
    env = os.environ if environment is None else environment

    def given(name: str) -> str | None:
        flag = getattr(arguments, name, None)
        return str(flag) if flag not in (None, "") else env.get(f"HOLDFAST_{name.upper()}") or None

    file = Path(named) if (named := given("policy")) else next((path for path in _PLACES if path.is_file()), None)
    policy = load(file) if file else Policy()
    ollama, openai = given("ollama"), given("openai")
    port = given("port")
    overrides = Overrides(
        ollama=_native(ollama) if ollama else None,
        openai=_checked(openai, openai) if openai else None,
        here=_native(env["OLLAMA_HOST"]) if env.get("OLLAMA_HOST") else "",
        host=given("host"),
        port=None if port is None else _port(port),
    )
    state = Path(given("state") or env.get("XDG_STATE_HOME", "~/.local/state") + "/holdfast").expanduser()
    keyless = bool(getattr(arguments, "keyless", False) or env.get("HOLDFAST_KEYLESS"))
    return Settings(policy=overrides.over(policy), file=file, state=state, keyless=keyless, overrides=overrides)


_PLACES = (Path("policy.yaml"), Path("holdfast.yaml"))


def _native(host: str) -> str:
    return _checked(local_address(host), host)


def _checked(url: str, written: str) -> str:
    """`url`, which can be asked. Raises CannotRun with what was `written`."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise CannotRun(f"{written!r} is no address of a model server; write it like http://127.0.0.1:11434")
    return url


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _PORTS:
        raise CannotRun(f"{text!r} is no port; write a number up to {_PORTS}")
    return int(text)


def local_address(host: str) -> str:
    """OLLAMA_HOST as a URL: a bind address means this machine, a bare host means port 11434."""
    text = host if "://" in host else f"http://{host}"
    for anywhere in _ANYWHERE:
        text = text.replace(f"//{anywhere}", "//127.0.0.1", 1)
    after = text.split("://", 1)[1]
    return text if ":" in after.rpartition("]")[2] or "/" in after or text.startswith("https") else f"{text}:11434"
