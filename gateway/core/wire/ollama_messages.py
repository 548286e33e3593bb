"""Messages of Ollama's chat API, both ways."""

from __future__ import annotations

from gateway.core.conversation import Content, Image, Message, Prose, Role, ToolCall
from gateway.core.wire.fields import Fields, is_object, short
from gateway.core.wire.images import image_of_base64
from gateway.core.wire.tools import arguments_object, call_of


def message_of(fields: Fields) -> Message:
    """A message; raises BadRequest."""
    return Message(
        role=_role(fields),
        content=(*_text(fields), *images_of(fields)),
        thinking=fields.text("thinking"),
        calls=tuple(map(call_of, fields.objects("tool_calls"))),
        answers=fields.text("tool_call_id"),
        name=fields.text("tool_name") or fields.text("name"),
        extra=fields.rest,
    )


def _role(fields: Fields) -> Role:
    match fields.text("role"):
        case "system" | "developer" | "user" | "assistant" | "tool" as role:
            return role
        case other:
            raise fields.refused("role", f"is {short(other)}; send system, user, assistant or tool")


def _text(fields: Fields) -> tuple[Content, ...]:
    match fields.take("content"):
        case None | "":
            return ()
        case str(text):
            return (Prose(text),)
        case list(parts):  # OpenAI's shape, which some clients keep
            texts = [part if isinstance(part, str) else _text_of(part) for part in parts]
            if all(isinstance(text, str) for text in texts):
                return tuple(Prose(text) for text in texts if isinstance(text, str) and text)
        case _:
            pass
    raise fields.refused("content", "is no text; send a string, and pictures in `images`")


def _text_of(part: object) -> object:
    return part.get("text") if is_object(part) else None


def images_of(fields: Fields) -> tuple[Image, ...]:
    """Pictures beside a text, as base64."""
    images = fields.take("images")
    if images is None:
        return ()
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise fields.wrong("images", "an array of base64 strings", images)
    return tuple(image_of_base64(str(image)) for image in images)


def message_json(message: Message) -> dict[str, object]:
    """A message in its JSON shape; several texts become one, since renderers would make a turn of each."""
    role = "system" if message.role == "developer" else message.role
    said: dict[str, object] = {**message.extra, "role": role, "content": message.text}
    if message.thinking:
        said["thinking"] = message.thinking
    if images := [part.data for part in message.content if isinstance(part, Image)]:
        said["images"] = images
    if message.calls:
        said["tool_calls"] = [_call_json(call) for call in message.calls]
    if message.answers:
        said["tool_call_id"] = message.answers
    if message.name:
        said["tool_name" if role == "tool" else "name"] = message.name
    return said


def _call_json(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": arguments_object(call.arguments)}
    said = {**call.extra, "function": function}
    return {**said, "id": call.id} if call.id else said
