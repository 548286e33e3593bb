"""What Ollama shows of its models: `/api/show` and `/api/ps` entries to facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from gateway.core.plan import Loaded, ModelFacts
from gateway.core.wire.fields import is_object

Generation: TypeAlias = Literal["old", "new"]
_LINE = re.compile(
    r"^(RENDERER|PARSER)\s+(\S+)", re.MULTILINE
)  # the JSON fields of these names are never filled (v0.33)
_PARAMETER = re.compile(r"^(\S+)\s+(.*)$")


def facts_of(model: str, shown: Mapping[str, object]) -> ModelFacts:
    """The facts in an answer to `/api/show`."""
    info = shown.get("model_info")
    known = {key: value for key, value in info.items() if value is not None} if is_object(info) else {}
    details = shown.get("details")
    parameters = parameters_of(str(shown.get("parameters") or ""))
    lines = dict(_LINE.findall(str(shown.get("modelfile") or "")))
    capabilities = shown.get("capabilities")
    configured = parameters.get("num_ctx") or _modelfile_window(str(shown.get("modelfile") or ""))
    return ModelFacts(
        name=model,
        family=str(details.get("family") or "") if is_object(details) else "",
        trained=trained_window(known),
        configured=configured if isinstance(configured, int) else None,
        template=str(shown.get("template") or ""),
        renderer=lines.get("RENDERER", ""),
        parser=lines.get("PARSER", ""),
        capabilities=tuple(str(each) for each in capabilities) if isinstance(capabilities, list) else (),
        parameters=parameters,
        info={key: value for key, value in known.items() if not isinstance(value, list) or len(value) < 1024},
        away=is_away(model, shown),
        shown=shown,
    )


def trained_window(info: Mapping[str, object]) -> int | None:
    """`<arch>.context_length`, the longest text that the model was trained for."""
    value = info.get(f"{info.get('general.architecture')}.context_length")
    return value if isinstance(value, int) and value > 0 else None


def _modelfile_window(modelfile: str) -> int | None:
    found = re.search(r"^PARAMETER\s+num_ctx\s+(\d+)", modelfile, re.MULTILINE)
    return int(found[1]) if found else None


def parameters_of(text: str) -> dict[str, object]:
    """The `parameters` text: one `name   value` a line, values quoted where they are strings; several `stop` lines."""
    found: dict[str, object] = {}
    for line in text.splitlines():
        if match := _PARAMETER.match(line.strip()):
            name, value = match[1], match[2].strip().strip('"')
            found[name] = int(value) if re.fullmatch(r"-?\d+", value) else value
    return found


def is_away(model: str, entry: Mapping[str, object]) -> bool:
    """Whether the model runs at Ollama's cloud: `remote_host`, or a tag `cloud` or `…-cloud`."""
    tag = model.rpartition(":")[2] if ":" in model else ""
    return bool(entry.get("remote_host") or entry.get("remote_model")) or tag == "cloud" or tag.endswith("-cloud")


def loaded_of(entry: Mapping[str, object]) -> Loaded:
    """An entry of `/api/ps`."""

    def number(key: str) -> int:
        value = entry.get(key)
        return value if isinstance(value, int) else 0

    return Loaded(
        name=str(entry.get("name") or entry.get("model") or ""),
        window=number("context_length") or None,
        size_bytes=number("size"),
        vram_bytes=number("size_vram"),
        entry=entry,
    )


def generation_of(version: str) -> Generation | None:
    """The generation of a server: its own runners up to v0.24, llama-server from v0.30; a build of one's own says 0.0.0."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    number = (int(found[1]), int(found[2])) if found else (0, 0)
    if number == (0, 0):
        return None
    return "old" if number < (0, 30) else "new"


def behaves_like(generation: Generation) -> str:
    """The version to tell of a server whose own word is 0.0.0: the last of the old generation, or the first of the new."""
    return "0.24.0" if generation == "old" else "0.30.0"
