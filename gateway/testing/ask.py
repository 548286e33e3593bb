"""What a request asks of a model, read from the body of `/api/chat` or `/api/generate` as strictly as Ollama's Go structs read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from gateway.core import jsontext
from gateway.testing.generations import ApiError
from gateway.testing.gojson import Json

Think: TypeAlias = bool | str | None
Messages: TypeAlias = tuple[Mapping[str, object], ...]

INTEGERS = (
    "num_ctx",
    "num_predict",
    "num_keep",
    "seed",
    "top_k",
    "repeat_last_n",
)  # options that must be whole numbers
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_EFFORTS = ("high", "medium", "low", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to a model. For scripts, `messages` is what the model really sees: without what the server cut away.

    `keep_alive` is in seconds, negative for ever. `prompt` is the client's own for `/api/generate`.
    """

    surface: Literal["chat", "generate"]
    model: str
    messages: Messages = ()
    tools: Messages = ()
    prompt: str = ""
    suffix: str = ""
    system: str = ""
    raw: bool = False
    images: int = 0
    stream: bool = True
    options: Mapping[str, object] = field(default_factory=dict)
    think: Think = None
    format: object = None
    keep_alive: float | None = None
    truncate: bool = True
    shift: bool = True
    logprobs: bool = False
    top_logprobs: int = 0
    render_only: bool = False
    generation: int = 0  # the how-manieth generation of this server it is, from 1

    @property
    def history(self) -> Messages:
        """The messages before the turn that is asked for: a trailing assistant message is the beginning of that turn."""
        return self.messages[:-1] if self.prefilled else self.messages

    @property
    def prefilled(self) -> bool:
        return bool(self.messages) and self.messages[-1].get("role") == "assistant"

    @property
    def empty(self) -> bool:
        """Nothing to answer: the request only loads the model or, with keep_alive 0, unloads it."""
        return not (self.messages if self.surface == "chat" else self.prompt)

    def said_by(self, role: str) -> list[str]:
        """The contents of the messages of a role, in order."""
        return [str(message.get("content") or "") for message in self.messages if message.get("role") == role]

    def integer(self, name: str) -> int | None:
        """A runner option that must be a whole number."""
        value = self.options.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(500, f'option "{name}" must be of type integer')
        return int(value)

    @property
    def stops(self) -> Sequence[str]:
        value = self.options.get("stop") or ()
        return [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []


def parse_body(data: bytes) -> Json:
    """A JSON object from a request body, or the 400 that Ollama gives."""
    if not data.strip():
        raise ApiError(400, "missing request body")
    try:
        value = jsontext.mended(json.loads(data.decode("utf-8", "replace")))
    except json.JSONDecodeError as error:
        at = error.doc[error.pos : error.pos + 1]
        problem = f"invalid character '{at}' looking for beginning of value" if at else "unexpected EOF"
        raise ApiError(400, problem) from None
    except RecursionError:
        raise ApiError(400, "exceeded max depth") from None
    if not isinstance(value, dict):
        raise ApiError(400, f"json: cannot unmarshal {_kind(value)} into Go value of type api.ChatRequest")
    return value


def chat_ask(body: Json) -> Ask:
    """The request of `/api/chat`."""
    fields = _Fields(body, "ChatRequest")
    messages = tuple(_message(item) for item in fields.objects("messages"))
    images = sum(len(_list(message.get("images"))) for message in messages)
    return replace(_shared(fields, "chat"), messages=messages, images=images, tools=tuple(fields.objects("tools")))


def generate_ask(body: Json) -> Ask:
    """The request of `/api/generate`."""
    fields = _Fields(body, "GenerateRequest")
    ask = replace(
        _shared(fields, "generate"),
        prompt=fields.text("prompt"),
        suffix=fields.text("suffix"),
        system=fields.text("system"),
        raw=fields.flag("raw", False),
        images=len(_list(body.get("images"))),
    )
    if ask.raw and (ask.system or fields.text("template") or body.get("context")):
        raise ApiError(400, "raw mode does not support template, system, or context")
    return ask


def _shared(fields: _Fields, surface: Literal["chat", "generate"]) -> Ask:
    top = int(fields.number("top_logprobs") or 0)
    if not 0 <= top <= 20:
        raise ApiError(400, "top_logprobs must be between 0 and 20")
    options = fields.body.get("options")
    return Ask(
        surface=surface,
        model=fields.text("model"),
        stream=fields.flag("stream", True),
        options=options if isinstance(options, dict) else {},
        think=_think(fields.body.get("think")),
        format=fields.body.get("format") or None,
        keep_alive=duration(fields.body.get("keep_alive")),
        truncate=fields.flag("truncate", True),
        shift=fields.flag("shift", True),
        logprobs=fields.flag("logprobs", False),
        top_logprobs=top,
        render_only=fields.flag("_debug_render_only", False),
    )


def duration(value: object) -> float | None:
    """`keep_alive` in seconds: a number, or Go's `5m`, `1h30m`, `-1s`."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if not parts:
        raise ApiError(400, f'time: invalid duration "{text}"')
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in parts)
    return -seconds if text.startswith("-") else seconds


def _message(item: Mapping[str, object]) -> Mapping[str, object]:
    fields = _Fields(item, "ChatRequest", "messages.")
    for call in fields.objects("tool_calls"):
        function = call.get("function")
        if isinstance(function, dict) and not isinstance(function.get("arguments") or {}, dict):
            raise ApiError(400, "Value looks like object, but can't find closing '}' symbol")
    fields.text("thinking")
    return {**item, "role": fields.text("role").lower(), "content": fields.text("content")}


def _think(value: object) -> Think:
    if value is None or isinstance(value, bool):
        return value
    if value in _EFFORTS:
        return str(value)
    raise ApiError(
        400, f'invalid think value: {json.dumps(value)} (must be "high", "medium", "low", "max", true, or false)'
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


class _Fields:
    """A JSON object whose fields must have the types that the Go struct has; null counts as absent."""

    def __init__(self, body: Mapping[str, object], struct: str, path: str = "") -> None:
        self.body = body
        self._struct = struct
        self._path = path

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, value, "string")
        return value or ""

    def flag(self, name: str, default: bool) -> bool:
        value = self.body.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, value, "bool")
        return value

    def number(self, name: str) -> float | None:
        value = self.body.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, value, "int")
        return value

    def objects(self, name: str) -> list[Mapping[str, object]]:
        value = self.body.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, value, f"[]api.{name.title()}")
        return [self._object(name, item) for item in value]

    def _object(self, name: str, item: object) -> Mapping[str, object]:
        if not isinstance(item, dict):
            raise self._wrong(name, item, f"api.{name.title()}")
        return item

    def _wrong(self, name: str, value: object, wanted: str) -> ApiError:
        where = f"{self._struct}.{self._path}{name}"
        return ApiError(400, f"json: cannot unmarshal {_kind(value)} into Go struct field {where} of type {wanted}")


def _kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
