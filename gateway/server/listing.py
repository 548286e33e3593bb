"""What models there are, in every tongue; the window shown is the one that holds, not the trained maximum."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from aiohttp import web

from gateway.core.errors import BadRequest, Code, Problem
from gateway.core.wire.fields import body, is_object, short
from gateway.server.front import Knock
from gateway.server.native import now
from gateway.server.replies import json_reply
from gateway.service.front.gateway import Served
from gateway.service.refusal import Refusal


async def models(knock: Knock) -> web.StreamResponse:
    """GET /v1/models."""
    served = await knock.gateway.served(facts=True)
    return json_reply({"object": "list", "data": [_openai_entry(knock, each) for each in served]})


async def model(knock: Knock) -> web.StreamResponse:
    """GET /v1/models/{id}."""
    name = unquote(knock.tail)  # openai-node escapes the colon of `qwen3:8b` and the slash of `hf.co/…`
    return json_reply(_openai_entry(knock, await _look(knock, name)))


def _openai_entry(knock: Knock, served: Served) -> dict[str, object]:
    created = served.entry.get("created")
    entry: dict[str, object] = {
        "id": served.name,
        "object": "model",
        "created": created if isinstance(created, int) else int(knock.gateway.world.wall()),
        "owned_by": served.upstream,
    }
    if served.window is not None:
        trained = served.facts.trained if served.facts else None
        entry["meta"] = {"n_ctx": served.window, **({"n_ctx_train": trained} if trained else {})}
        entry["context_length"] = entry["max_model_len"] = served.window
    return entry


async def model_info(knock: Knock) -> web.StreamResponse:
    """GET /model/info, the form that LiteLLM's clients read."""
    data = []
    for served in await knock.gateway.served(facts=True):
        rule = knock.policy.rule_for(served.name)
        room = min(rule.output_reserve, served.window // 4) if served.window else None
        info = {
            "max_input_tokens": served.window,
            "max_tokens": served.window,
            "max_output_tokens": room,
            "mode": "chat",
        }
        data.append({"model_name": served.name, "litellm_params": {"model": served.name}, "model_info": info})
    return json_reply({"data": data})


async def tags(knock: Knock) -> web.StreamResponse:
    """GET /api/tags."""
    served = await knock.gateway.served(facts=False)
    return json_reply({"models": [_tag(knock, each) for each in served]})


def _tag(knock: Knock, served: Served) -> Mapping[str, object]:
    """Ollama's own entry, or one made for a model of another server."""
    if "name" in served.entry:
        return served.entry
    details = {"format": "", "family": "", "families": None, "parameter_size": "", "quantization_level": ""}
    return {
        "name": served.name,
        "model": served.name,
        "modified_at": now(knock),
        "size": 0,
        "digest": "",
        "details": details,
    }


async def ps(knock: Knock) -> web.StreamResponse:
    """GET /api/ps."""
    return json_reply({"models": [loaded.entry for _, loaded in await knock.gateway.loaded() if loaded.entry]})


async def show(knock: Knock) -> web.StreamResponse:
    """POST /api/show; takes `model` and the older `name`."""
    fields = await knock.read(body)
    name = fields.text("model") or fields.text("name")
    if not name:
        raise BadRequest("`model` is missing; name a model that GET /api/tags lists", param="model")
    served = await _look(knock, name)
    shown = dict(served.facts.shown) if served.facts else {}
    return json_reply(_with_window(shown, served))


def _with_window(shown: dict[str, object], served: Served) -> dict[str, object]:
    """The server's own words, with the window that holds in place of the trained maximum."""
    info = shown.get("model_info")
    known: dict[str, object] = dict(info) if is_object(info) else {"general.architecture": "unknown"}
    if served.window is not None:
        known[f"{known.get('general.architecture', 'unknown')}.context_length"] = served.window
        lines = [line for line in str(shown.get("parameters") or "").splitlines() if not line.startswith("num_ctx")]
        shown["parameters"] = "\n".join([*lines, f"{'num_ctx':<31}{served.window}"])
    shown["model_info"] = known
    shown.setdefault("details", {"family": "", "format": "", "parameter_size": "", "quantization_level": ""})
    shown.setdefault("capabilities", ["completion", "tools"])
    return shown


async def _look(knock: Knock, name: str) -> Served:
    served = await knock.gateway.look(name)
    if served is None:
        raise Refusal(
            Problem(
                Code.MODEL_NOT_FOUND,
                f"model {short(name)} not found; GET /v1/models lists what there is",
                param="model",
            )
        )
    return served
