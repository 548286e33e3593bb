"""Finds the files that tell coding agents where their model is and how long its window: Aider's, Crush's and OpenCode's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gateway.config.foreign import Unreadable, from_json, from_yaml
from gateway.core.diagnosis.setup import Claim, Endpoint, Surface
from gateway.core.wire.fields import is_object

Entry: TypeAlias = Endpoint | Claim
Object: TypeAlias = Mapping[str, object]

_AIDER_PREFIXES = ("ollama_chat/", "ollama/", "openai/")
_AIDER_VARIABLES = ("OLLAMA_API_BASE", "OPENAI_API_BASE")


@dataclass(slots=True)
class Found:
    """What the files say. `unreadable`: why, by file."""

    endpoints: list[Endpoint] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def find(*, folder: Path, home: Path, environment: Mapping[str, str], ours: Callable[[str], bool]) -> Found:
    """Everything in `folder`, in its parents up to `home`, and in the usual places; of servers only those that are `ours`."""
    found = Found()
    for entry in _variables(environment):
        _add(found, entry, ours)
    for path, read in _places(folder, home, environment):
        if not path.is_file():
            continue
        data = _read(path)
        if isinstance(data, Unreadable):
            found.unreadable[str(path)] = data.why
            continue
        for entry in read(data, str(path)):
            _add(found, entry, ours)
    return found


def _add(found: Found, entry: Entry, ours: Callable[[str], bool]) -> None:
    if entry.url and not ours(entry.url):
        return
    if isinstance(entry, Claim):
        found.claims.append(entry)
    else:
        found.endpoints.append(entry)


def _places(folder: Path, home: Path, environment: Mapping[str, str]) -> Iterator[tuple[Path, _Reader]]:
    """Each file once, with what reads it; the nearest first."""
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    above = [folder, *folder.parents]
    folders = above[: above.index(home)] if home in above else above
    seen: set[Path] = set()
    for each in (*folders, home, home / ".local/share/crush", settings / "crush", settings / "opencode"):
        for name, read in _FILES.items():
            if (path := each / name) not in seen:
                seen.add(path)
                yield path, read


def _read(path: Path) -> object | Unreadable:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Unreadable(str(error))
    return from_yaml(text) if path.suffix in (".yml", ".yaml") else from_json(text)


def _variables(environment: Mapping[str, str]) -> Iterator[Entry]:
    """The environment variables that Aider reads."""
    for name in _AIDER_VARIABLES:
        if url := environment.get(name):
            yield _aider_endpoint("environment", name, url, f"export {name}={{url}}")


def _aider_settings(data: object, file: str) -> Iterator[Entry]:
    """`.aider.model.settings.yml`: a list of models with `extra_params`."""
    for entry in data if isinstance(data, list) else ():
        name = entry.get("name") if is_object(entry) else None
        extra = entry.get("extra_params") if is_object(entry) else None
        tokens = extra.get("num_ctx") if is_object(extra) else None
        if isinstance(name, str) and isinstance(tokens, int):
            model = next((name.removeprefix(prefix) for prefix in _AIDER_PREFIXES if name.startswith(prefix)), name)
            lines = (f"- name: {name}", "  extra_params:", "    num_ctx: {tokens}")
            yield Claim(agent="Aider", file=file, key="num_ctx", model=model, tokens=tokens, lines=lines)


def _aider_options(data: object, file: str) -> Iterator[Entry]:
    """`.aider.conf.yml`: Aider's options, and variables that it sets for itself."""
    if not is_object(data):
        return
    timeout = data.get("timeout")
    seconds = float(timeout) if isinstance(timeout, int | float) else None
    url = data.get("openai-api-base")
    if isinstance(url, str):
        yield _aider_endpoint(file, "OPENAI_API_BASE", url, "openai-api-base: {url}", timeout=seconds)
    variables = data.get("set-env")
    for each in variables if isinstance(variables, list) else [variables]:
        name, _, value = str(each).partition("=")
        if name in _AIDER_VARIABLES and value:
            yield _aider_endpoint(file, name, value, "set-env:", f"  - {name}={{url}}", timeout=seconds)


def _aider_endpoint(file: str, name: str, url: str, *lines: str, timeout: float | None = None) -> Endpoint:
    surface: Surface = "ollama" if name == "OLLAMA_API_BASE" else "openai"
    return Endpoint(agent="Aider", file=file, surface=surface, url=url, lines=lines, timeout=timeout)


def _crush(data: object, file: str) -> Iterator[Entry]:
    """`crush.json`: `providers.<id>.base_url` and `.models[].context_window`."""
    for provider in _objects(data, "providers").values():
        url = str(provider.get("base_url") or "")
        if url:
            yield Endpoint(agent="Crush", file=file, surface="openai", url=url, lines=('"base_url": "{url}"',))
        models = provider.get("models")
        for model in models if isinstance(models, list) else ():
            name, tokens = (model.get("id"), model.get("context_window")) if is_object(model) else (None, None)
            if isinstance(name, str) and isinstance(tokens, int) and tokens > 0:
                lines = (f'"id": "{name}",', '"context_window": {tokens}')
                yield Claim(
                    agent="Crush", file=file, key="context_window", model=name, tokens=tokens, lines=lines, url=url
                )


def _opencode(data: object, file: str) -> Iterator[Entry]:
    """`opencode.json`: `provider.<id>.options` and `.models.<name>.limit.context`."""
    for provider in _objects(data, "provider").values():
        options = provider.get("options")
        options = options if is_object(options) else {}
        url = str(options.get("baseURL") or "")
        if url:
            yield Endpoint(
                agent="OpenCode",
                file=file,
                surface="openai",
                url=url,
                lines=('"baseURL": "{url}"',),
                timeout=_milliseconds(options.get("headerTimeout")),
                total=_milliseconds(options.get("timeout")),
            )
        for name, model in _objects(provider, "models").items():
            yield from _opencode_limit(name, model, file, url)


def _opencode_limit(name: str, model: Object, file: str, url: str) -> Iterator[Claim]:
    limit, known = model.get("limit"), model.get("id")
    tokens = limit.get("context") if is_object(limit) else None
    if is_object(limit) and isinstance(tokens, int) and tokens > 0:
        output = limit.get("output") or 4096
        yield Claim(
            agent="OpenCode",
            file=file,
            key="limit.context",
            model=known if isinstance(known, str) else name,
            tokens=tokens,
            lines=(f'"{name}": {{ "limit": {{ "context": {{tokens}}, "output": {output} }} }}',),
            url=url,
        )


def _milliseconds(value: object) -> float | None:
    """Seconds; `false` waits for ever."""
    if value is False:
        return float("inf")
    return value / 1000 if isinstance(value, int | float) and not isinstance(value, bool) else None


def _objects(data: object, key: str) -> dict[str, Object]:
    """The objects under a key, by their names."""
    value = data.get(key) if is_object(data) else None
    return {name: each for name, each in value.items() if is_object(each)} if is_object(value) else {}


_Reader: TypeAlias = Callable[[object, str], Iterator[Entry]]
_FILES: Mapping[str, _Reader] = {
    ".aider.model.settings.yml": _aider_settings,
    ".aider.conf.yml": _aider_options,
    "crush.json": _crush,
    ".crush.json": _crush,
    "opencode.json": _opencode,
    "opencode.jsonc": _opencode,
    ".opencode/opencode.json": _opencode,
    ".opencode/opencode.jsonc": _opencode,
}
