"""Tools and the calls that an assistant made earlier, both ways: OpenAI's shape, which Ollama took over but for the arguments."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core import jsontext
from gateway.core.conversation import ToolCall, ToolSpec
from gateway.core.errors import Code
from gateway.core.wire.fields import Fields, is_object


def tool_of(fields: Fields) -> ToolSpec:
    """A tool that is offered."""
    if fields.text("type", "function") != "function":
        raise fields.refused("type", "is not `function`; only function tools can be served", Code.UNSUPPORTED)
    function = fields.fields("function")
    name = function.text("name") if function else ""
    if function is None or not name:
        raise fields.refused("function.name", "is missing; every tool needs a name")
    parameters = function.fields("parameters")
    return ToolSpec(
        name=name,
        description=function.text("description"),
        parameters=parameters.rest if parameters else {},
        extra=function.rest,
    )


def tool_json(tool: ToolSpec) -> dict[str, object]:
    """The tool in its JSON shape; description and parameters always stand in it, llama.cpp's server needs them."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, **tool.extra}
    return {"type": "function", "function": function}


def call_of(fields: Fields) -> ToolCall:
    """A call in the history, its arguments as text or as an object."""
    function = fields.fields("function") or Fields({}, fields.path("function"))
    if fields.rest.get("type") == "function":
        fields.take("type")
    return ToolCall(
        id=fields.text("id"),
        name=function.text("name"),
        arguments=arguments_text(function.take("arguments")),
        extra=fields.rest,
    )


def arguments_text(arguments: object) -> str:
    """Arguments as JSON text, as the neutral call keeps them."""
    if isinstance(arguments, str):
        return arguments
    return jsontext.dumps({} if arguments is None else arguments)


def arguments_object(text: str) -> Mapping[str, object]:
    """Arguments as the object that Ollama wants. Text that is none (agents store cut calls) stays readable inside one."""
    if not text.strip():
        return {}
    try:
        value = jsontext.loads(text)
    except jsontext.NotJson:
        value = text
    if is_object(value):
        return value
    return {} if value is None else {"arguments": value}


def is_json(arguments: str) -> bool:
    """Whether arguments are JSON at all."""
    try:
        jsontext.glance(arguments.encode("utf-8", "replace"))
    except jsontext.NotJson:
        return False
    return True
