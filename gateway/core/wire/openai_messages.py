"""Messages of the OpenAI chat API, both ways."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.conversation import Content, Image, Message, Prose, Role, ToolCall
from gateway.core.errors import Code
from gateway.core.wire.fields import Fields, is_object, item_fields, short
from gateway.core.wire.images import image_of_url, url_of
from gateway.core.wire.tools import arguments_text, call_of

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


def message_of(fields: Fields) -> Message:
    """A message; raises BadRequest."""
    role, content = _role(fields), _content(fields)
    if not fields.rest:
        return Message(role=role, content=content)
    return Message(
        role=role,
        content=content,
        thinking=_thinking(fields),
        calls=tuple(_calls(fields)),
        answers=fields.text("tool_call_id"),
        name=fields.text("name"),
        extra=fields.rest,
    )


def _role(fields: Fields) -> Role:
    match fields.text("role"):
        case "system" | "developer" | "user" | "assistant" | "tool" as role:
            return role
        case "function":  # the name of `tool` before calls had ids
            return "tool"
        case other:
            raise fields.refused("role", f"is {short(other)}; send system, developer, user, assistant or tool")


def _content(fields: Fields) -> tuple[Content, ...]:
    value = fields.rest.pop("content", None)
    if isinstance(value, str):
        return (Prose(value),) if value else ()
    if value is None:
        return ()
    if not isinstance(value, list):
        raise fields.wrong("content", "a string, an array of parts or null", value)
    path = fields.path("content")
    parts = (_part(item, f"{path}[{place}]") for place, item in enumerate(value))
    return tuple(part for part in parts if part != Prose(""))


def _part(item: object, at: str) -> Content:
    if isinstance(item, str):
        return Prose(item)
    fields = item_fields(item, at)
    match fields.text("type", "text"):
        case "text" | "input_text" | "output_text":
            return Prose(fields.text("text"), fields.rest)
        case "refusal":
            return Prose(fields.text("refusal"))
        case "image_url" | "input_image":
            return _image(fields)
        case other:
            raise fields.refused("type", f"is {short(other)}; send text and image_url parts only", Code.UNSUPPORTED)


def _image(fields: Fields) -> Image:
    value = fields.take("image_url")
    url = value.get("url") if is_object(value) else value
    image = image_of_url(url) if isinstance(url, str) else None
    if image is None:
        why = "is no data URL; images must be inline, as data:image/png;base64,… (addresses are not fetched)"
        raise fields.refused("image_url", why, Code.UNSUPPORTED)
    return image


def _thinking(fields: Fields) -> str:
    said = [fields.text(name) for name in _THOUGHTS if name in fields.rest]
    return next((text for text in said if text), "")


def _calls(fields: Fields) -> Iterator[ToolCall]:
    yield from map(call_of, fields.objects("tool_calls"))
    if before_ids := fields.fields("function_call"):  # one call for each message, before calls had ids
        name, arguments = before_ids.text("name"), before_ids.take("arguments")
        yield ToolCall(id="", name=name, arguments=arguments_text(arguments))


def message_json(message: Message) -> dict[str, object]:
    """A message in its JSON shape."""
    said: dict[str, object] = {**message.extra, "role": message.role, "content": _content_json(message)}
    if message.thinking:
        said["reasoning_content"] = message.thinking
    if message.calls:
        said["tool_calls"] = [_call_json(call) for call in message.calls]
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
            return {"type": "image_url", "image_url": {"url": url_of(part)}}


def _call_json(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"type": "function", **call.extra, "id": call.id, "function": function}
