"""Ollama's native requests, both ways: `/api/chat` and `/api/generate` bodies to Conversation and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.core import jsontext
from gateway.core.conversation import (
    Completion,
    Content,
    Conversation,
    Image,
    Message,
    Prose,
    Role,
    Sampling,
    Think,
    ToolCall,
    ToolSpec,
)
from gateway.core.errors import BadRequest
from gateway.core.wire.fields import Fields, body, is_object

# Ours to set on every request, or meaningless through a gateway: never taken from a client.
RESERVED = (
    "_debug_render_only",
    "truncate",
    "shift",
    "logprobs",
    "top_logprobs",
    "stream",
    "raw",
    "context",
    "template",
)
_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "repeat_penalty",
)


@dataclass(frozen=True, slots=True)
class NativeWish:
    """How the answer is to be delivered, and whether the request only loads (or with `unload`, frees) the model."""

    stream: bool = True
    load_only: bool = False
    unload: bool = False


def decode_chat(data: bytes) -> tuple[Conversation, NativeWish]:
    """An `/api/chat` request; no messages means: load the model (or free it, with `keep_alive: 0`)."""
    fields = body(data)
    messages = tuple(_message(message) for message in fields.objects("messages"))
    return _conversation(fields, messages=messages, completion=None)


def decode_generate(data: bytes) -> tuple[Conversation, NativeWish]:
    """An `/api/generate` request; no prompt means: load the model (or free it, with `keep_alive: 0`)."""
    fields = body(data)
    completion = Completion(
        prompt=fields.text("prompt"),
        suffix=fields.text("suffix"),
        system=fields.text("system"),
        raw=fields.flag("raw", False),
        images=_images(fields),
    )
    return _conversation(fields, messages=(), completion=completion)


def _conversation(
    fields: Fields, *, messages: tuple[Message, ...], completion: Completion | None
) -> tuple[Conversation, NativeWish]:
    model = fields.text("model") or fields.text("name")
    if not model:
        raise BadRequest("`model` is missing; name a model that GET /api/tags lists", param="model")
    stream = fields.flag("stream", True)
    options = fields.fields("options") or Fields({}, "options")
    empty = not messages and not (completion and (completion.prompt or completion.images))
    wish = NativeWish(stream=stream, load_only=empty, unload=empty and _is_zero(fields.rest.get("keep_alive")))
    tools = tuple(_tool(tool) for tool in fields.objects("tools"))
    sampling, output, think = _sampling(options), _output(fields), _think(fields)
    for name in RESERVED:
        fields.take(name)
    conversation = Conversation(
        model=model,
        messages=messages,
        completion=completion,
        tools=tools,
        sampling=sampling,
        output=output,
        think=think,
        options=options.rest,
        extra=fields.rest,
    )
    return conversation, wish


def _is_zero(keep_alive: object) -> bool:
    return keep_alive in (0, "0", "0s") and keep_alive is not False


def _sampling(options: Fields) -> Sampling:
    most = options.integer("num_predict")
    return Sampling(
        temperature=options.number("temperature"),
        top_p=options.number("top_p"),
        top_k=options.integer("top_k"),
        min_p=options.number("min_p"),
        seed=options.integer("seed"),
        presence_penalty=options.number("presence_penalty"),
        frequency_penalty=options.number("frequency_penalty"),
        repeat_penalty=options.number("repeat_penalty"),
        stop=tuple(text for text in options.texts("stop") if text),
        max_tokens=most if most and most > 0 else None,  # Ollama takes 0, -1 and -2 as "no limit"
    )


def _output(fields: Fields) -> Literal["json"] | Mapping[str, object] | None:
    match fields.take("format"):
        case None | "":
            return None
        case "json":
            return "json"
        case value if is_object(value):
            return value
        case other:
            raise fields.wrong("format", '"json" or a JSON Schema', other)


def _think(fields: Fields) -> Think:
    match fields.take("think"):
        case None:
            return None
        case bool() | str() as switch:
            return switch
        case other:
            raise fields.wrong("think", "true, false or an effort such as high", other)


def _message(fields: Fields) -> Message:
    return Message(
        role=_role(fields),
        content=_content(fields),
        thinking=fields.text("thinking"),
        calls=tuple(_call(call) for call in fields.objects("tool_calls")),
        answers=fields.text("tool_call_id"),
        name=fields.text("tool_name") or fields.text("name"),
        extra=fields.rest,
    )


def _role(fields: Fields) -> Role:
    match fields.text("role"):
        case "system" | "developer" | "user" | "assistant" | "tool" as role:
            return role
        case other:
            path = fields.path("role")
            raise BadRequest(f"`{path}` is {other!r}; send system, user, assistant or tool", param=path)


def _content(fields: Fields) -> tuple[Content, ...]:
    match fields.take("content"):
        case None | "":
            text: tuple[Content, ...] = ()
        case str(said):
            text = (Prose(said),)
        case list(parts) if all(is_object(part) and isinstance(part.get("text"), str) for part in parts):
            text = tuple(Prose(str(part["text"])) for part in parts if is_object(part))
        case other:
            raise fields.wrong("content", "a string", other)
    return (*text, *_images(fields))


def _images(fields: Fields) -> tuple[Image, ...]:
    images = fields.take("images")
    if images is None:
        return ()
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise fields.wrong("images", "an array of base64 strings", images)
    return tuple(Image(str(image)) for image in images)


def _call(fields: Fields) -> ToolCall:
    function = fields.fields("function") or Fields({}, fields.path("function"))
    arguments = function.take("arguments")
    text = arguments if isinstance(arguments, str) else jsontext.dumps({} if arguments is None else arguments)
    return ToolCall(id=fields.text("id"), name=function.text("name"), arguments=text, extra=fields.rest)


def _tool(fields: Fields) -> ToolSpec:
    function = fields.fields("function")
    name = function.text("name") if function else ""
    if function is None or not name:
        raise BadRequest(f"`{fields.at}.function.name` is missing; every tool needs a name", param=fields.at)
    parameters = function.fields("parameters")
    return ToolSpec(
        name=name,
        description=function.text("description"),
        parameters=parameters.rest if parameters else {},
        extra=function.rest,
    )


# -- the way back: to Ollama ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What every request for one model repeats, so that Ollama never reloads it, and what this one adds.

    `num_predict` 0 leaves it out (Ollama takes 0 as unlimited). `render` asks for the prompt alone, nothing is generated.
    """

    num_ctx: int | None = None
    options: Mapping[str, object] | None = None
    num_predict: int = 0
    keep_alive: object = None
    logprobs: bool = False
    render: bool = False


def encode_chat(conversation: Conversation, *, model: str, pinned: Pinned) -> bytes:
    """The `/api/chat` body: streaming, nothing truncated, nothing shifted (ollama 0.12.6 and later)."""
    wanted = _common(conversation, model, pinned)
    wanted["messages"] = [message_json(message) for message in conversation.messages]
    if conversation.tools and conversation.tool_choice != "none":
        wanted["tools"] = [_tool_json(tool) for tool in conversation.tools]
    return jsontext.dump(wanted)


def encode_generate(conversation: Conversation, *, model: str, pinned: Pinned) -> bytes:
    """The `/api/generate` body of a bare prompt."""
    completion = conversation.completion
    assert completion is not None
    wanted = _common(conversation, model, pinned)
    wanted["prompt"] = completion.prompt
    if completion.raw:
        wanted["raw"] = True
    if completion.suffix:
        wanted["suffix"] = completion.suffix
    if completion.system:
        wanted["system"] = completion.system
    if completion.images:
        wanted["images"] = [image.data for image in completion.images]
    return jsontext.dump(wanted)


def _common(conversation: Conversation, model: str, pinned: Pinned) -> dict[str, object]:
    wanted: dict[str, object] = {
        **{key: value for key, value in conversation.extra.items() if key not in RESERVED},
        "model": model,
        "stream": not pinned.render,
        "truncate": False,
        "shift": False,
        "options": options_json(conversation, pinned),
    }
    if pinned.keep_alive is not None:
        wanted.setdefault("keep_alive", pinned.keep_alive)
    if conversation.output is not None:
        wanted["format"] = conversation.output
    if conversation.think is not None:
        wanted["think"] = conversation.think
    if pinned.logprobs:
        wanted["logprobs"] = True
    if pinned.render:
        wanted["_debug_render_only"] = True
    return wanted


def options_json(conversation: Conversation, pinned: Pinned) -> dict[str, object]:
    """Runner options: the model's policy, then the client's, then what is pinned."""
    sampling = conversation.sampling
    said = {name: value for name in _SAMPLING if (value := getattr(sampling, name)) is not None}
    options: dict[str, object] = {**(pinned.options or {}), **conversation.options, **said}
    options.pop("num_ctx", None)
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    if pinned.num_ctx:
        options["num_ctx"] = pinned.num_ctx
    if pinned.num_predict:
        options["num_predict"] = pinned.num_predict
    return options


def message_json(message: Message) -> dict[str, object]:
    """A message in Ollama's shape."""
    role = "system" if message.role == "developer" else message.role
    said: dict[str, object] = {**message.extra, "role": role, "content": message.text}
    if message.thinking:
        said["thinking"] = message.thinking
    if images := message.images:
        said["images"] = [image.data for image in images]
    if message.calls:
        said["tool_calls"] = [_call_json(call, place) for place, call in enumerate(message.calls)]
    if message.role == "tool":
        said |= {key: value for key, value in (("tool_name", message.name), ("tool_call_id", message.answers)) if value}
    return said


def _call_json(call: ToolCall, place: int) -> dict[str, object]:
    try:
        arguments = jsontext.loads(call.arguments or "{}")
    except jsontext.NotJson:
        arguments = None
    function = {"index": place, "name": call.name, "arguments": arguments if is_object(arguments) else {}}
    return {"id": call.id, "function": function} if call.id else {"function": function}


def _tool_json(tool: ToolSpec) -> dict[str, object]:
    function = {**tool.extra, "name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}
