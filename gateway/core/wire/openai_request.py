"""The OpenAI chat request, both ways: `/v1/chat/completions` bodies to Conversation and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core import jsontext
from gateway.core.conversation import Conversation, Message, Named, Sampling, Think, ToolChoice, ToolSpec
from gateway.core.errors import Code
from gateway.core.wire import native_fields
from gateway.core.wire.fields import Fields, body, is_object, short
from gateway.core.wire.native_fields import Output
from gateway.core.wire.openai_messages import message_json, message_of
from gateway.core.wire.pairing import with_ids
from gateway.core.wire.sampling import completed, options_sampling, sampling_json, sampling_of
from gateway.core.wire.tools import arguments_object, is_json, tool_json, tool_of

# Never passed on from a client: ours to set, promises about the answer that only we can keep, or Ollama's alone.
RESERVED = frozenset({
    "model", "messages", "prompt", "tools", "tool_choice", "stream", "stream_options", "n", "best_of",
    "max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "options", "keep_alive",
})  # fmt: skip
_GOES_ON = {"add_generation_prompt": False, "continue_final_message": True}  # vLLM; llama.cpp does so by itself


@dataclass(frozen=True, slots=True)
class Wish:
    """How the answer is to be delivered, and whether text in the request had to be `repaired`; no part of what is asked."""

    stream: bool = False
    usage: bool = False
    repaired: bool = False


def decode(data: bytes) -> tuple[Conversation, Wish]:
    """A chat request. Raises BadRequest with a text that says what to change; unknown fields go to `extra`."""
    fields = body(data)
    model, wish = model_of(fields), wish_of(fields)
    messages = _messages(fields)
    tools = tuple(tool_of(tool) for tool in fields.objects("tools"))
    choice = _tool_choice(fields, tools)
    sampling, options = sampling_and_options(fields)
    think, output = _think(fields), _output(fields)
    if _prefixed(messages):
        fields.rest = {key: value for key, value in fields.rest.items() if (key, value) not in _GOES_ON.items()}
    conversation = Conversation(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        sampling=sampling,
        output=output,
        think=think,
        options=options,
        extra=fields.rest,
    )
    return conversation, wish


def model_of(fields: Fields) -> str:
    model = fields.text("model")
    if not model:
        raise fields.refused("model", "is missing; name a model that GET /v1/models lists")
    return model


def wish_of(fields: Fields) -> Wish:
    """How the answer is to be delivered. Raises BadRequest where several answers are wanted."""
    if (fields.integer("n") or 1) != 1:
        raise fields.refused("n", "above 1 is not supported; send one request for each answer", Code.UNSUPPORTED)
    options = fields.fields("stream_options")
    usage = options is not None and options.flag("include_usage", False)
    return Wish(stream=fields.flag("stream", False), usage=usage, repaired=fields.repaired)


def _messages(fields: Fields) -> tuple[Message, ...]:
    messages = tuple(message_of(message) for message in fields.objects("messages"))
    if not messages:
        raise fields.refused("messages", "is missing or empty; send an array with one message or more")
    return messages


def _prefixed(messages: Sequence[Message]) -> bool:
    """The last message is an assistant's, and no call: the answer goes on from it."""
    return bool(messages) and messages[-1].role == "assistant" and not messages[-1].calls


def sampling_and_options(fields: Fields) -> tuple[Sampling, Mapping[str, object]]:
    """The settings, and what is left of Ollama's runner options, which Goose sends to this API too."""
    options = native_fields.options_of(fields)
    sampling = sampling_of(fields, max_tokens=_max_tokens(fields))
    if not options.rest:
        return sampling, options.rest
    return completed(sampling, options_sampling(options)), options.rest


def _max_tokens(fields: Fields) -> int | None:
    limits = [_limit(fields, name) for name in ("max_completion_tokens", "max_tokens")]
    return next((limit for limit in limits if limit is not None), None)


def _limit(fields: Fields, name: str) -> int | None:
    most = fields.integer(name)
    if most is None or most == -1:  # LM Studio's and llama.cpp's "no limit"
        return None
    if most < 1:
        raise fields.refused(name, "is below 1; leave it out for no limit of your own")
    return most


def _tool_choice(fields: Fields, tools: Sequence[ToolSpec]) -> ToolChoice:
    choice = _choice(fields)
    if choice == "required" and not tools:
        raise fields.refused("tool_choice", "requires a tool call and `tools` is empty; offer the tools")
    if isinstance(choice, Named) and all(choice.name != tool.name for tool in tools):
        raise fields.refused("tool_choice", f"names {short(choice.name)}, which is not among `tools`; offer that tool")
    return choice


def _choice(fields: Fields) -> ToolChoice:
    match fields.take("tool_choice"):
        case None | "auto" | {"type": "auto"}:
            return "auto"
        case "none" | {"type": "none"}:
            return "none"
        case "required" | "any" | {"type": "required" | "any"}:
            return "required"
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return Named(name)
        case _:
            pass
    wanted = '"auto", "none", "required" or {"type":"function","function":{"name":…}}'
    raise fields.refused("tool_choice", f"is none of the known choices; send {wanted}")


def _output(fields: Fields) -> Output:
    wanted = fields.fields("response_format")
    if wanted is None:
        return native_fields.format_of(fields)
    match wanted.text("type", "text"):
        case "text":
            return None
        case "json_object":  # with a schema: llama.cpp, Together, Fireworks
            return _schema(wanted)
        case "json_schema":
            return _schema(wanted.fields("json_schema") or wanted)
        case other:
            raise wanted.refused("type", f"is {short(other)}; send text, json_object or json_schema")


def _schema(holder: Fields) -> Output:
    schema = holder.fields("schema")
    return schema.rest if schema else "json"


def _think(fields: Fields) -> Think:
    """An effort (OpenAI's field, then OpenRouter's), Ollama's switch, or the switch that Qwen's templates read."""
    effort = fields.text("reasoning_effort").lower()
    reasoning, switch = fields.rest.get("reasoning"), native_fields.think_of(fields)
    if effort:
        return effort
    if is_object(reasoning) and isinstance(said := reasoning.get("effort"), str) and said:
        return said.lower()
    return _template_switch(fields) if switch is None else switch


def _template_switch(fields: Fields) -> bool | None:
    template = fields.rest.get("chat_template_kwargs")
    switch = template.get("enable_thinking") if is_object(template) else None
    if not is_object(template) or not isinstance(switch, bool):
        return None
    if others := {key: value for key, value in template.items() if key != "enable_thinking"}:
        fields.rest["chat_template_kwargs"] = others
    else:
        fields.take("chat_template_kwargs")
    return switch


# -- the way back: to an upstream that speaks this format ------------------------------------------------------------


def encode(conversation: Conversation, *, model: str, max_tokens: int | None) -> bytes:
    """The request for an OpenAI-compatible upstream: always streaming, with usage."""
    wanted: dict[str, object] = dict(_GOES_ON) if _prefixed(conversation.messages) else {}
    wanted |= {**riding(conversation), **_think_json(conversation), "model": model}
    wanted["messages"] = [message_json(message) for message in _sendable(conversation.messages)]
    if conversation.tools and conversation.tool_choice != "none":
        wanted["tools"] = [tool_json(tool) for tool in conversation.tools]
        wanted["tool_choice"] = _choice_json(conversation.tool_choice)
    if conversation.output is not None:
        wanted["response_format"] = _output_json(conversation.output)
    return jsontext.dump(wanted | delivery_json(conversation, max_tokens))


def riding(conversation: Conversation) -> dict[str, object]:
    """The client's unknown fields, for an upstream that may know them."""
    return {key: value for key, value in conversation.extra.items() if key not in RESERVED}


def delivery_json(conversation: Conversation, max_tokens: int | None) -> dict[str, object]:
    """How the upstream is to answer, in chats and bare completions alike."""
    wanted = {**sampling_json(conversation.sampling), "stream": True, "stream_options": {"include_usage": True}}
    return wanted if max_tokens is None else wanted | {"max_tokens": max_tokens}


def _sendable(messages: Sequence[Message]) -> list[Message]:
    """The messages as every server takes them: ids for all calls, arguments that are JSON, no role that templates skip."""
    sendable = [_with_json(message) if message.calls else message for message in with_ids(messages)]
    return [replace(message, role="system") if message.role == "developer" else message for message in sendable]


def _with_json(message: Message) -> Message:
    """vLLM and llama.cpp parse the arguments in the history, and fail where an agent stored a cut call."""
    calls = tuple(
        call if is_json(call.arguments) else replace(call, arguments=jsontext.dumps(arguments_object(call.arguments)))
        for call in message.calls
    )
    return message if calls == message.calls else replace(message, calls=calls)


def _think_json(conversation: Conversation) -> dict[str, object]:
    match conversation.think:
        case None:
            return {}
        case str(effort):
            return {"reasoning_effort": effort}
        case bool(switch):
            template = conversation.extra.get("chat_template_kwargs")
            others = template if is_object(template) else {}
            return {"chat_template_kwargs": {**others, "enable_thinking": switch}}


def _choice_json(choice: ToolChoice) -> object:
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, Named) else choice


def _output_json(output: Output) -> object:
    if output == "json":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": output}}
