"""Ollama's native requests, both ways: `/api/chat` and `/api/generate` bodies to Conversation and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core import jsontext
from gateway.core.conversation import Completion, Conversation, Message, Think
from gateway.core.wire import native_fields
from gateway.core.wire.fields import Fields, body
from gateway.core.wire.ollama_messages import images_of, message_json, message_of
from gateway.core.wire.pairing import with_names
from gateway.core.wire.sampling import options_sampling, sampling_json
from gateway.core.wire.tools import tool_json, tool_of

# Ours to set on every request, or meaningless through a gateway: never taken from a client. Compared without case, as Go does.
RESERVED = frozenset({
    "model", "name", "messages", "tools", "options", "stream", "truncate", "shift", "_debug_render_only",
    "logprobs", "top_logprobs", "prompt", "suffix", "system", "images", "raw", "context", "template",
})  # fmt: skip
# Runner options: one that differs from the last request's makes Ollama load the model anew, so only the policy sets them.
RUNNER = frozenset({
    "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock",
    "low_vram", "f16_kv", "numa", "vocab_only", "logits_all", "embedding_only",
})  # fmt: skip
_MOST_KEPT = 16  # prompts between their rendering and their answer
_EFFORTS: Mapping[str, Think] = {  # /api/chat takes true, false, low, medium and high; its /v1 and others know more
    "none": False,
    "minimal": "low",
    "xhigh": "high",
    "max": "high",
    "ultra": "high",
}


@dataclass(frozen=True, slots=True)
class NativeWish:
    """How the answer is to be delivered, and whether the request only loads (or with `unload`, frees) the model.

    `repaired`: text in the request held what is no text and became U+FFFD.
    """

    stream: bool = True
    load_only: bool = False
    unload: bool = False
    repaired: bool = False


def decode_chat(data: bytes) -> tuple[Conversation, NativeWish]:
    """An `/api/chat` request; no messages means: load the model (or free it, with `keep_alive: 0`)."""
    fields = body(data)
    messages = tuple(message_of(message) for message in fields.objects("messages"))
    return _conversation(fields, messages=messages, completion=None)


def decode_generate(data: bytes) -> tuple[Conversation, NativeWish]:
    """An `/api/generate` request; no prompt means: load the model (or free it, with `keep_alive: 0`)."""
    fields = body(data)
    completion = Completion(
        prompt=fields.text("prompt"),
        suffix=fields.text("suffix"),
        system=fields.text("system"),
        raw=fields.flag("raw", False),
        images=images_of(fields),
    )
    return _conversation(fields, messages=(), completion=completion)


def _conversation(
    fields: Fields, *, messages: tuple[Message, ...], completion: Completion | None
) -> tuple[Conversation, NativeWish]:
    model = fields.text("model") or fields.text("name")
    if not model:
        raise fields.refused("model", "is missing; name a model that GET /api/tags lists")
    options = native_fields.options_of(fields)
    empty = not messages and not (completion and (completion.prompt or completion.images))
    wish = NativeWish(
        stream=fields.flag("stream", True),
        load_only=empty,
        unload=empty and _is_zero(fields.rest.get("keep_alive")),
        repaired=fields.repaired,
    )
    conversation = Conversation(
        model=model,
        messages=messages,
        completion=completion,
        tools=tuple(tool_of(tool) for tool in fields.objects("tools")),
        sampling=options_sampling(options),
        output=native_fields.format_of(fields),
        think=native_fields.think_of(fields),
        options=options.rest,
        extra=_riding(fields.rest),
    )
    return conversation, wish


def _is_zero(keep_alive: object) -> bool:
    return keep_alive in (0, "0", "0s") and keep_alive is not False


def _riding(extra: Mapping[str, object]) -> dict[str, object]:
    """The client's unknown fields, for an upstream that may know them."""
    return {key: value for key, value in extra.items() if key.casefold() not in RESERVED}


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


def encode_chat(
    conversation: Conversation, *, model: str, pinned: Pinned, prompt: Mapping[str, object] | None = None
) -> bytes:
    """The `/api/chat` body: streaming, nothing truncated, nothing shifted (ollama 0.12.6 and later)."""
    return jsontext.dump({**_common(conversation, model, pinned), **(prompt or _prompt_json(conversation))})


def _prompt_json(conversation: Conversation) -> dict[str, object]:
    said: dict[str, object] = {"messages": [message_json(message) for message in with_names(conversation.messages)]}
    if conversation.tools and conversation.tool_choice != "none":
        said["tools"] = [tool_json(tool) for tool in conversation.tools]
    return said


class Prompts:
    """Writes `/api/chat` bodies. A prompt that is sent to be rendered is kept until it is sent to be answered: it reads the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Conversation, Mapping[str, object]]] = OrderedDict()

    def encode(self, conversation: Conversation, *, model: str, pinned: Pinned) -> bytes:
        """What `encode_chat` gives."""
        prompt = self._taken(conversation) or {
            name: jsontext.Written(jsontext.dump(value)) for name, value in _prompt_json(conversation).items()
        }
        if pinned.render:
            self._kept[id(conversation.messages)] = conversation, prompt
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return encode_chat(conversation, model=model, pinned=pinned, prompt=prompt)

    def _taken(self, conversation: Conversation) -> Mapping[str, object] | None:
        """By identity, since comparing costs as much as writing; what is kept holds its messages, so that no id comes again."""
        kept, prompt = self._kept.pop(id(conversation.messages), (None, None))
        same = kept is not None and kept.tools is conversation.tools and kept.tool_choice == conversation.tool_choice
        return prompt if same else None


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
        **_riding(conversation.extra),
        "model": model,
        "stream": not pinned.render,
        "truncate": False,
        "shift": False,
        "options": _options_json(conversation, pinned),
    }
    if pinned.keep_alive is not None:
        wanted.setdefault("keep_alive", pinned.keep_alive)
    if conversation.output is not None:
        wanted["format"] = conversation.output
    if conversation.think is not None:
        wanted["think"] = _think_json(conversation.think)
    if pinned.logprobs:
        wanted["logprobs"] = True
    if pinned.render:
        wanted["_debug_render_only"] = True
    return wanted


def _think_json(think: Think) -> Think:
    return _EFFORTS.get(think, think) if isinstance(think, str) else think


def _options_json(conversation: Conversation, pinned: Pinned) -> dict[str, object]:
    """Runner options: the model's policy, then the client's, then what is pinned."""
    wishes = {name: value for name, value in conversation.options.items() if name not in RUNNER}
    options = {**(pinned.options or {}), **wishes, **sampling_json(conversation.sampling)}
    options.pop("num_ctx", None)
    if pinned.num_ctx:
        options["num_ctx"] = pinned.num_ctx
    if pinned.num_predict:
        options["num_predict"] = pinned.num_predict
    return options
