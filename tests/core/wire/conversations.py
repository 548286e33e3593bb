"""Strategies for conversations: whatever each format can say, and no more, so that it must come back the same."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.core import jsontext
from gateway.core.conversation import (
    Completion,
    Conversation,
    Image,
    Message,
    Named,
    Prose,
    Role,
    Sampling,
    ToolCall,
    ToolChoice,
    ToolSpec,
)
from gateway.core.wire.images import image_of_base64
from gateway.core.wire.native_fields import Output
from gateway.core.wire.ollama_request import RESERVED as OLLAMA_RESERVED
from gateway.core.wire.ollama_request import RUNNER
from gateway.core.wire.openai_request import RESERVED as OPENAI_RESERVED
from gateway.core.wire.sampling import NAMES
from tests.core.wire.json_values import decimals, extras, names, objects, texts, values

prose = texts.filter(bool)
base64 = st.text("ABCDEFGHabcdefgh0123456789+/", min_size=1, max_size=12).map(lambda text: f"x{text}=")
limits = st.integers(1, 2**31)
floats = st.floats(-(10**6), 10**6) | decimals.filter(lambda digits: "e" not in digits).map(float)
longs = st.integers(-(2**63) + 1, 2**63 - 1)

samplings = st.builds(
    Sampling,
    temperature=st.none() | floats,
    top_p=st.none() | floats,
    top_k=st.none() | longs,
    min_p=st.none() | floats,
    seed=st.none() | longs,
    presence_penalty=st.none() | floats,
    frequency_penalty=st.none() | floats,
    repeat_penalty=st.none() | floats,
    stop=st.lists(prose, max_size=3).map(tuple),
    max_tokens=st.none() | limits,
)
tools = st.builds(
    ToolSpec,
    name=names,
    description=texts,
    parameters=objects,
    extra=extras(["name", "description", "parameters"]),
)
plain_outputs: list[Output] = [None, "json"]
outputs = st.sampled_from(plain_outputs) | objects

# -- what the OpenAI chat API can say ---------------------------------------------------------------------------------

_MESSAGE = ("role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content", "reasoning", "thinking", "function_call")  # fmt: skip
_BODY = (
    *(*OPENAI_RESERVED, *NAMES, "stop", "response_format", "format", "think", "reasoning", "reasoning_effort"),
    *("chat_template_kwargs", "add_generation_prompt", "continue_final_message"),
)
openai_calls = st.builds(
    ToolCall,
    id=names,
    name=texts,
    arguments=values.map(jsontext.dumps),
    extra=extras(["id", "function", "type"]),
)
openai_parts = (
    st.builds(Prose, prose)
    | st.builds(Prose, texts, extras(["type", "text"], 1))
    | st.builds(Image, base64, st.sampled_from(["", "image/png", "image/svg+xml"]))
)
openai_messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant"]),
    content=st.lists(openai_parts, max_size=3).map(tuple),
    thinking=texts,
    calls=st.lists(openai_calls, max_size=2).map(tuple),
    answers=texts,
    name=texts,
    extra=extras(_MESSAGE),
) | st.builds(
    Message,
    role=st.just("tool"),
    content=st.lists(openai_parts, max_size=2).map(tuple),
    answers=names,
    name=texts,
    extra=extras(_MESSAGE),
)


@st.composite
def openai_conversations(draw: st.DrawFn) -> Conversation:
    offered = tuple(draw(st.lists(tools, max_size=2)))
    choices: list[ToolChoice] = ["auto", "required", *(Named(tool.name) for tool in offered)] if offered else ["auto"]
    template = {"chat_template_kwargs": draw(extras(["enable_thinking"], 1))} if draw(st.booleans()) else {}
    return Conversation(
        model=draw(names),
        messages=tuple(draw(st.lists(openai_messages, min_size=1, max_size=4))),
        tools=offered,
        tool_choice=draw(st.sampled_from(choices)),
        sampling=draw(samplings),
        output=draw(outputs),
        think=draw(st.none() | st.booleans() | st.sampled_from(["none", "minimal", "low", "high", "ultra"])),
        extra={**draw(extras(_BODY)), **template},
    )


openai_completions = st.builds(
    Conversation,
    model=names,
    completion=st.builds(Completion, prompt=prose, suffix=texts),
    sampling=samplings,
    extra=extras([*_BODY, "suffix"]),
)

# -- what Ollama's native API can say ---------------------------------------------------------------------------------

_NATIVE_MESSAGE = ("role", "content", "thinking", "images", "tool_calls", "tool_call_id", "tool_name", "name")
pictures = st.lists(base64.map(image_of_base64), max_size=2).map(tuple)
native_calls = st.builds(
    ToolCall,
    id=texts,
    name=texts,
    arguments=objects.map(jsontext.dumps),
    extra=extras(["id", "function", "type"]),
)


@st.composite
def native_messages(draw: st.DrawFn) -> Message:
    roles: list[Role] = ["system", "user", "assistant", "tool"]
    role = draw(st.sampled_from(roles))
    return Message(
        role=role,
        content=(*draw(st.lists(st.builds(Prose, prose), max_size=1)), *draw(pictures)),
        thinking=draw(texts),
        calls=() if role == "tool" else tuple(draw(st.lists(native_calls, max_size=2))),
        answers=draw(texts),
        name=draw(names if role == "tool" else texts),
        extra=draw(extras(_NATIVE_MESSAGE)),
    )


@st.composite
def native_conversations(draw: st.DrawFn, *, bare: bool = False) -> Conversation:
    completions = st.builds(Completion, prompt=texts, suffix=texts, system=texts, raw=st.booleans(), images=pictures)
    return Conversation(
        model=draw(names),
        messages=() if bare else tuple(draw(st.lists(native_messages(), max_size=4))),
        completion=draw(completions) if bare else None,
        tools=() if bare else tuple(draw(st.lists(tools, max_size=2))),
        sampling=draw(samplings),
        output=draw(outputs),
        think=draw(st.none() | st.booleans() | st.sampled_from(["low", "medium", "high"])),
        options=draw(extras([*NAMES, *RUNNER, "stop", "num_predict"])),
        extra=draw(extras([*OLLAMA_RESERVED, "think", "format"])),
    )
