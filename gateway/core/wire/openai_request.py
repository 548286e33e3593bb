"""The OpenAI chat request, both ways: `/v1/chat/completions` bodies to Conversation and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.core import jsontext
from gateway.core.conversation import (
    Content,
    Conversation,
    Image,
    Message,
    Named,
    Prose,
    Role,
    Sampling,
    Think,
    ToolCall,
    ToolChoice,
    ToolSpec,
)
from gateway.core.errors import BadRequest, Code
from gateway.core.wire.fields import Fields, body, is_object, item_fields, kind

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*?;base64,(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wish:
    """How the answer is to be delivered; no part of what is asked."""

    stream: bool = False
    usage: bool = False


def decode(data: bytes) -> tuple[Conversation, Wish]:
    """A chat request. Raises BadRequest with a text that says what to change; unknown fields go to `extra`."""
    return conversation_of(body(data))


def conversation_of(fields: Fields) -> tuple[Conversation, Wish]:
    model = fields.text("model")
    if not model:
        raise BadRequest("`model` is missing; name a model that GET /v1/models lists", param="model")
    only_one_choice(fields)
    wish = wish_of(fields)
    raw_messages = fields.take("messages")
    if not isinstance(raw_messages, list) or not raw_messages:
        raise BadRequest(
            f"`messages` is {kind(raw_messages) if raw_messages != [] else 'empty'}; send an array with one message or more",
            param="messages",
        )
    messages = tuple(_message(item_fields(item, f"messages[{i}]")) for i, item in enumerate(raw_messages))
    tools = tuple(_tool(tool) for tool in fields.objects("tools"))
    conversation = Conversation(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=_tool_choice(fields),
        sampling=sampling_of(fields),
        output=_output(fields),
        think=_think(fields),
        options=options_of(fields),
        extra=fields.rest,
    )
    return conversation, wish


def only_one_choice(fields: Fields) -> None:
    if (fields.integer("n") or 1) != 1:
        raise BadRequest(
            "`n` above 1 is not supported; send one request for each answer", param="n", code=Code.UNSUPPORTED
        )


def wish_of(fields: Fields) -> Wish:
    options = fields.fields("stream_options")
    return Wish(stream=fields.flag("stream", False), usage=options is not None and options.flag("include_usage", False))


def sampling_of(fields: Fields) -> Sampling:
    newer, older = fields.integer("max_completion_tokens"), fields.integer("max_tokens")
    most = newer if newer is not None else older
    if most is not None and most < 1:
        raise BadRequest("`max_tokens` is below 1; leave it out for no limit of your own", param="max_tokens")
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        min_p=fields.number("min_p"),
        seed=fields.integer("seed"),
        presence_penalty=fields.number("presence_penalty"),
        frequency_penalty=fields.number("frequency_penalty"),
        repeat_penalty=fields.number("repeat_penalty"),
        stop=tuple(text for text in fields.texts("stop") if text),
        max_tokens=most,
    )


def options_of(fields: Fields) -> Mapping[str, object]:
    options = fields.fields("options")  # Goose sends Ollama's runner options to /v1
    return options.rest if options else {}


def _message(fields: Fields) -> Message:
    role = role_of(fields)
    thinking = fields.text("reasoning_content") or fields.text("reasoning") or fields.text("thinking")
    for spare in ("reasoning_content", "reasoning", "thinking"):
        fields.take(spare)
    return Message(
        role=role,
        content=_content(fields),
        thinking=thinking,
        calls=tuple(_call(call) for call in fields.objects("tool_calls")),
        answers=fields.text("tool_call_id"),
        name=fields.text("name"),
        extra=fields.rest,
    )


def role_of(fields: Fields) -> Role:
    match fields.text("role"):
        case "system" | "developer" | "user" | "assistant" | "tool" as role:
            return role
        case "function":  # the name of `tool` before calls had ids
            return "tool"
        case other:
            path = fields.path("role")
            raise BadRequest(f"`{path}` is {other!r}; send system, developer, user, assistant or tool", param=path)


def _content(fields: Fields) -> tuple[Content, ...]:
    value = fields.take("content")
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (Prose(value),)
    if not isinstance(value, list):
        raise fields.wrong("content", "a string, an array of parts or null", value)
    path = fields.path("content")
    return tuple(part for i, item in enumerate(value) for part in _part(item, f"{path}[{i}]"))


def _part(item: object, at: str) -> tuple[Content, ...]:
    if isinstance(item, str):
        return (Prose(item),)
    fields = item_fields(item, at)
    match fields.text("type", "text"):
        case "text" | "input_text" | "output_text":
            return (Prose(fields.text("text"), fields.rest),)
        case "refusal":
            return (Prose(fields.text("refusal")),)
        case "image_url" | "input_image":
            return (_image(fields),)
        case other:
            raise BadRequest(
                f"`{at}.type` is {other!r}; send text and image_url parts only",
                param=f"{at}.type",
                code=Code.UNSUPPORTED,
            )


def _image(fields: Fields) -> Image:
    value = fields.take("image_url")
    url = value.get("url") if is_object(value) else value
    found = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
    if not found:
        raise BadRequest(
            f"`{fields.path('image_url')}` is no data URL; images must be inline, as data:image/png;base64,… (addresses are not fetched)",
            param=fields.path("image_url"),
            code=Code.UNSUPPORTED,
        )
    return Image(data=found[2], mime=found[1] or "")


def _call(fields: Fields) -> ToolCall:
    function = fields.fields("function") or Fields({}, fields.path("function"))
    arguments = function.take("arguments")
    text = arguments if isinstance(arguments, str) else "" if arguments is None else jsontext.dumps(arguments)
    if fields.rest.get("type") == "function":
        fields.take("type")
    return ToolCall(id=fields.text("id"), name=function.text("name"), arguments=text, extra=fields.rest)


def _tool(fields: Fields) -> ToolSpec:
    if fields.text("type", "function") != "function":
        raise BadRequest(
            f"`{fields.at}.type` is not `function`; only function tools can be served",
            param=fields.at,
            code=Code.UNSUPPORTED,
        )
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


def _tool_choice(fields: Fields) -> ToolChoice:
    match fields.take("tool_choice"):
        case None | "auto":
            return "auto"
        case "none":
            return "none"
        case "required" | "any":
            return "required"
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return Named(name)
        case other:
            raise fields.wrong(
                "tool_choice", '"auto", "none", "required" or {"type":"function","function":{"name":…}}', other
            )


def _output(fields: Fields) -> Literal["json"] | Mapping[str, object] | None:
    wanted = fields.fields("response_format")
    if wanted is None:
        return None
    match wanted.text("type", "text"):
        case "text":
            return None
        case "json_object":
            return "json"
        case "json_schema":
            holder = wanted.fields("json_schema")
            schema = holder.fields("schema") if holder else wanted.fields("schema")
            return schema.rest if schema else "json"
        case other:
            path = wanted.path("type")
            raise BadRequest(f"`{path}` is {other!r}; send text, json_object or json_schema", param=path)


def _think(fields: Fields) -> Think:
    effort = fields.text("reasoning_effort").lower()
    if effort:
        return False if effort == "none" else effort
    template = fields.rest.get("chat_template_kwargs")
    switch = template.get("enable_thinking") if is_object(template) else fields.take("think")
    return switch if isinstance(switch, bool | str) else None


# -- the way back: to an upstream that speaks this format ------------------------------------------------------------


def encode(conversation: Conversation, *, model: str, max_tokens: int | None) -> bytes:
    """The request for an OpenAI-compatible upstream: always streaming, with usage."""
    sampling = conversation.sampling
    wanted: dict[str, object] = {
        **conversation.extra,
        "model": model,
        "messages": [message_json(message) for message in conversation.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling_json(conversation),
    }
    if max_tokens is not None:
        wanted["max_tokens"] = max_tokens
    if conversation.tools and conversation.tool_choice != "none":
        wanted["tools"] = [tool_json(tool) for tool in conversation.tools]
        wanted["tool_choice"] = choice_json(conversation.tool_choice)
    if isinstance(conversation.think, str):
        wanted["reasoning_effort"] = conversation.think
    elif conversation.think is False:
        wanted["reasoning_effort"] = "none"
    if conversation.output is not None:
        wanted["response_format"] = _output_json(conversation.output)
    if sampling.stop:
        wanted["stop"] = list(sampling.stop)
    return jsontext.dump(wanted)


def sampling_json(conversation: Conversation) -> dict[str, object]:
    """The sampling fields that the client set."""
    sampling = conversation.sampling
    names = (
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "repeat_penalty",
    )
    return {name: value for name in names if (value := getattr(sampling, name)) is not None}


def message_json(message: Message) -> dict[str, object]:
    """A message in the OpenAI shape."""
    said: dict[str, object] = {**message.extra, "role": message.role, "content": _content_json(message)}
    if message.thinking:
        said["reasoning_content"] = message.thinking
    if message.calls:
        said["tool_calls"] = [call_json(call) for call in message.calls]
    if message.answers:
        said["tool_call_id"] = message.answers
    if message.name:
        said["name"] = message.name
    return said


def _content_json(message: Message) -> object:
    match message.content:
        case ():
            return None if message.calls else ""
        case (Prose(text, extra),) if not extra:
            return text
        case parts:
            return [_part_json(part) for part in parts]


def _part_json(part: Content) -> dict[str, object]:
    match part:
        case Prose():
            return {**part.extra, "type": "text", "text": part.text}
        case Image():
            return {"type": "image_url", "image_url": {"url": f"data:{part.mime};base64,{part.data}"}}


def call_json(call: ToolCall) -> dict[str, object]:
    return {
        "type": "function",
        **call.extra,
        "id": call.id,
        "function": {"name": call.name, "arguments": call.arguments},
    }


def tool_json(tool: ToolSpec) -> dict[str, object]:
    function = {**tool.extra, "name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def choice_json(choice: ToolChoice) -> object:
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, Named) else choice


def _output_json(output: Literal["json"] | Mapping[str, object]) -> object:
    if output == "json":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": output}}
