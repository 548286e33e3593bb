"""`/v1` requests as Ollama turns them into its own: what it honours, what it ignores without a word, what it forces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.testing.generations import ApiError, Generation
from gateway.testing.gojson import Json

_EFFORTS_OLD = ("high", "medium", "low", "max", "none")
_EFFORTS_NEW: Mapping[str, object] = MappingProxyType(
    {
        "none": False,
        "minimal": "low",
        "low": "low",
        "medium": "medium",
        "high": "high",
        "max": "max",
        "xhigh": "max",
        "ultra": "max",
    }
)
_PICTURES = ("jpeg", "jpg", "png", "webp")


def chat_body(body: Json, generation: Generation) -> Json:
    """The `/api/chat` body that a chat completion becomes.

    Ignored: max_completion_tokens, tool_choice, n, options, keep_alive, truncate, shift and all that is unknown.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "[] is too short - 'messages'")
    stated = [message for message in messages if isinstance(message, dict)]
    native: Json = {
        "model": body.get("model", ""),
        "messages": [part for message in stated for part in _messages(message, stated)],
        "stream": bool(body.get("stream")),
        "options": _options(body),
        "tools": body.get("tools") or [],
        "logprobs": bool(body.get("logprobs")),
        "top_logprobs": body.get("top_logprobs") or 0,
        "_debug_render_only": bool(body.get("_debug_render_only")),
    }
    if wanted := _format(body.get("response_format")):
        native["format"] = wanted
    think = _think(body, generation)
    return native if think is None else {**native, "think": think}


def completion_body(body: Json) -> Json:
    """The `/api/generate` body that a completion becomes."""
    prompt = body.get("prompt", "")
    if not isinstance(prompt, str):
        kind = "array" if isinstance(prompt, list) else "object"
        raise ApiError(
            400, f"json: cannot unmarshal {kind} into Go struct field CompletionRequest.prompt of type string"
        )
    return {
        "model": body.get("model", ""),
        "prompt": prompt,
        "suffix": body.get("suffix") or "",
        "stream": bool(body.get("stream")),
        "options": _options(body),
        "_debug_render_only": bool(body.get("_debug_render_only")),
    }


def embed_body(body: Json) -> Json:
    """The `/api/embed` body that an embeddings request becomes."""
    given = body.get("input")
    if given is None or given == []:
        raise ApiError(400, "invalid input")
    return {"model": body.get("model", ""), "input": given, "dimensions": body.get("dimensions") or 0}


def _options(body: Json) -> Json:
    """Temperature and top_p are forced to 1 where the client is silent, whatever the Modelfile says."""
    stop = body.get("stop")
    options: Json = {"temperature": body.get("temperature", 1.0), "top_p": body.get("top_p", 1.0)}
    if body.get("max_tokens") is not None:
        options["num_predict"] = body["max_tokens"]
    if stop:
        options["stop"] = [stop] if isinstance(stop, str) else stop
    for name in ("seed", "frequency_penalty", "presence_penalty"):
        if body.get(name) is not None:
            options[name] = body[name]
    return {key: value for key, value in options.items() if value is not None}


def _format(wanted: object) -> object:
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return "json"
    schema = wanted.get("json_schema")
    return schema.get("schema") if wanted.get("type") == "json_schema" and isinstance(schema, dict) else None


def _think(body: Json, generation: Generation) -> object:
    nested = body.get("reasoning")
    effort = nested.get("effort") if isinstance(nested, dict) else body.get("reasoning_effort")
    if not effort:
        return None
    if generation.new:
        if effort not in _EFFORTS_NEW:
            accepted = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"'
            raise ApiError(400, f'invalid reasoning value: "{effort}" (must be {accepted})')
        return _EFFORTS_NEW[str(effort)]
    if effort not in _EFFORTS_OLD:
        accepted = '"high", "medium", "low", "max", or "none"'
        raise ApiError(400, f"invalid reasoning value: '{effort}' (must be {accepted})")
    return False if effort == "none" else effort


def _messages(message: Json, all_messages: list[Json]) -> Iterator[Json]:
    """Ollama's message for OpenAI's; several where the content is an array, one for each part."""
    content = message.get("content")
    calls = _calls(message)
    shared: Json = {"role": message.get("role", "")}
    if isinstance(content, list):
        parts = [{**shared, **_part(part)} for part in content]
        if parts and calls:
            parts[-1]["tool_calls"] = calls
        yield from parts
        return
    if content is not None and not isinstance(content, str):
        raise ApiError(400, "invalid message content type: map[string]interface {}")
    if content is None and not message.get("tool_calls"):
        raise ApiError(400, "invalid message content type: <nil>")
    named: Json = {"tool_name": _tool_name(message, all_messages)} if message.get("role") == "tool" else {}
    thought: Json = {"thinking": message["reasoning"]} if message.get("reasoning") else {}
    yield {**shared, "content": content or "", **thought, **({"tool_calls": calls} if calls else {}), **named}


def _part(part: object) -> Json:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or kind not in ("text", "image_url"):
        raise ApiError(400, "invalid message format")
    if kind == "text":
        return {"content": part.get("text", "")}
    given = part.get("image_url")
    url = str(given.get("url", "") if isinstance(given, dict) else given)
    if url.startswith(("http://", "https://")):
        raise ApiError(400, "image URLs are not currently supported, please use base64 encoded data instead")
    header, _, data = url.partition(";base64,")
    if header != "data:" and header.removeprefix("data:image/") not in _PICTURES:
        raise ApiError(400, "invalid image input")
    return {"content": "", "images": [data]}


def _calls(message: Json) -> list[Json]:
    calls = message.get("tool_calls")
    return [_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _call(call: Json) -> Json:
    function = call.get("function")
    stated = function if isinstance(function, dict) else {}
    try:
        arguments = json.loads(str(stated.get("arguments", "")))
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ApiError(400, "invalid tool call arguments")
    return {"id": call.get("id", ""), "function": {"name": stated.get("name", ""), "arguments": arguments}}


def _tool_name(message: Json, all_messages: list[Json]) -> str:
    if message.get("name"):
        return str(message["name"])
    for earlier in reversed(all_messages):
        calls = earlier.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict) and call.get("id") == message.get("tool_call_id"):
                function = call.get("function")
                return str(function.get("name", "")) if isinstance(function, dict) else ""
    return ""
