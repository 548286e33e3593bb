"""Which OpenAI-compatible server this is, told by endpoints of its own, and what it then says of windows and models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.plan import Loaded, ModelFacts
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http
from gateway.ports import UpstreamFailed

Entry = Mapping[str, object]


class Kind(StrEnum):
    """Servers that can do more than the OpenAI API says."""

    LLAMA_CPP = "llama.cpp"
    VLLM = "vLLM"
    LM_STUDIO = "LM Studio"
    OTHER = "openai"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it was recognised. `props` are llama.cpp's, `listed` is LM Studio's own list, by id."""

    kind: Kind = Kind.OTHER
    props: Entry = field(default_factory=dict)
    listed: Mapping[str, Entry] = field(default_factory=dict)


async def recognise(http: Http, entries: Sequence[Entry]) -> Server:
    """Asked by `/props`, `/version` and `/api/v0/models`; `entries` are those of `/v1/models`."""
    props, version, own = await asyncio.gather(*(_ask(http, path) for path in ("/props", "/version", "/api/v0/models")))
    if is_object(props.get("default_generation_settings")):
        return Server(Kind.LLAMA_CPP, props=props)
    if isinstance(version.get("version"), str) and any("max_model_len" in entry for entry in entries):
        return Server(Kind.VLLM)
    listed = entries_of(own)
    if any("state" in entry for entry in listed):
        return Server(Kind.LM_STUDIO, listed={str(entry.get("id")): entry for entry in listed})
    return Server()


async def _ask(http: Http, path: str) -> Entry:
    """The object at this path; empty where the server has none."""
    try:
        answer = await http.ask("GET", path)
    except UpstreamFailed:
        return {}
    return answer if is_object(answer) else {}


def entries_of(answer: object) -> list[Entry]:
    """The `data` of a list in OpenAI's form."""
    data = answer.get("data") if is_object(answer) else None
    return [each for each in data if is_object(each)] if isinstance(data, list) else []


def facts_of(model: str, entry: Entry, server: Server) -> ModelFacts:
    """What is known of a model; `entry` is its own in `/v1/models`."""
    meta, own = _object(entry.get("meta")), server.listed.get(model, {})
    return ModelFacts(
        name=model,
        family=str(own.get("arch") or entry.get("owned_by") or ""),
        trained=number(meta.get("n_ctx_train")) or number(own.get("max_context_length")),
        configured=_window(model, entry, server),
        template=str(server.props.get("chat_template") or ""),
        size_bytes=number(meta.get("size")) or 0,
        shown=entry,
    )


def loaded_of(entries: Sequence[Entry], server: Server) -> list[Loaded]:
    """Models in memory, where the server tells."""
    match server.kind:
        case Kind.LM_STUDIO:
            names = [name for name, own in server.listed.items() if own.get("state") == "loaded"]
        case Kind.LLAMA_CPP:
            names = [str(entry.get("id")) for entry in entries]
        case _:
            return []
    by_name = {str(entry.get("id")): entry for entry in entries}
    return [Loaded(name=name, window=_window(name, by_name.get(name, {}), server)) for name in names]


def _window(model: str, entry: Entry, server: Server) -> int | None:
    """What the server has loaded: llama.cpp's slot, vLLM's setting, LM Studio's choice; a cloud's least for this model."""
    settings = _object(server.props.get("default_generation_settings"))
    told = (
        number(settings.get("n_ctx")),
        number(_object(entry.get("meta")).get("n_ctx")),
        number(entry.get("max_model_len")),
        number(server.listed.get(model, {}).get("loaded_context_length")),
    )
    offered = (number(each.get("context_length")) for each in (entry, _object(entry.get("top_provider"))))
    return next((each for each in told if each), None) or min((each for each in offered if each), default=None)


def _object(value: object) -> Entry:
    return value if is_object(value) else {}


def number(value: object) -> int | None:
    """A number above zero."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
