"""The OpenAI text surfaces, both ways: `/v1/completions` (a bare prompt) and `/v1/embeddings`."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.core import jsontext
from gateway.core.conversation import Completion, Conversation
from gateway.core.errors import Code
from gateway.core.stream import Did, Part, Stop, StopReason, Text, Usage
from gateway.core.wire.fields import body, short
from gateway.core.wire.openai_answer import FINGERPRINT, Envelope, tail, usage_json
from gateway.core.wire.openai_request import Wish, delivery_json, model_of, riding, sampling_and_options, wish_of
from gateway.core.wire.whole import did_json, whole_of


def decode(data: bytes) -> tuple[Conversation, Wish]:
    """A completion request: one prompt as text. Raises BadRequest."""
    fields = body(data)
    model, wish, prompts = model_of(fields), wish_of(fields), fields.texts("prompt")
    if len(prompts) > 1:
        raise fields.refused("prompt", "holds several texts; send one request for each", Code.UNSUPPORTED)
    if not prompts or not prompts[0]:
        raise fields.refused("prompt", "is missing or empty; send the text to go on from")
    completion = Completion(prompt=prompts[0], suffix=fields.text("suffix"))
    sampling, options = sampling_and_options(fields)
    return Conversation(model=model, completion=completion, sampling=sampling, options=options, extra=fields.rest), wish


def encode(conversation: Conversation, *, model: str, max_tokens: int | None) -> bytes:
    """The request for an OpenAI-compatible upstream: always streaming, with usage."""
    completion = conversation.completion
    assert completion is not None
    wanted = {**riding(conversation), "model": model, "prompt": completion.prompt}
    if completion.suffix:
        wanted["suffix"] = completion.suffix
    return jsontext.dump(wanted | delivery_json(conversation, max_tokens))


class StreamEncoder:
    """Parts to the event stream of `/v1/completions`; thoughts and calls have no place in it."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._usage = Usage()
        self._did: tuple[str, ...] = ()
        head = jsontext.dumps({"id": envelope.id, "object": "text_completion", "created": envelope.created})
        self._head = f'data: {head[:-1]},"choices":['
        self._tail = f'],"model":{jsontext.quoted(envelope.model)},"system_fingerprint":"{FINGERPRINT}"'

    def feed(self, item: Part) -> Sequence[bytes]:
        match item:
            case Text(text):
                return (self._event(f'{{"text":{jsontext.quoted(text)},"index":0,"finish_reason":null}}'),)
            case Usage():
                self._usage = item
            case Did(words):
                self._did = words
            case Stop(reason):
                return (self._end(reason),)
            case _:
                pass
        return ()

    def close(self) -> Sequence[bytes]:
        return ()

    def _event(self, choice: str, more: str = "") -> bytes:
        return jsontext.line(f"{self._head}{choice}{self._tail}{more}}}\n\n")

    def _end(self, reason: StopReason) -> bytes:
        last = self._event(f'{{"text":"","index":0,"finish_reason":"{_reason(reason)}"}}')
        usage = self._event("", f',"usage":{jsontext.dumps(usage_json(self._usage))}') if self._envelope.usage else b""
        return last + usage + tail(self._did)


def encode_whole(parts: Sequence[Part], envelope: Envelope) -> bytes:
    """The answer as one JSON object."""
    whole = whole_of(parts)
    answer = {
        "id": envelope.id,
        "object": "text_completion",
        "created": envelope.created,
        "model": envelope.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{"text": whole.text, "index": 0, "finish_reason": _reason(whole.reason)}],
        "usage": usage_json(whole.usage),
    }
    return jsontext.dump(answer | did_json(whole.did))


def _reason(reason: StopReason) -> StopReason:
    return StopReason.STOP if reason is StopReason.TOOL_CALLS else reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingWish:
    """What an embeddings request asks for; `extra` is the upstream's to know (`dimensions`, …)."""

    model: str
    texts: tuple[str, ...]
    packed: bool
    extra: Mapping[str, object]


def decode_embedding(data: bytes) -> EmbeddingWish:
    """An embeddings request: one text or several. Raises BadRequest."""
    fields = body(data)
    model, texts, form = model_of(fields), fields.texts("input"), fields.text("encoding_format", "float")
    if not texts:
        raise fields.refused("input", "is missing or empty; send a text or an array of texts")
    if form not in ("float", "base64"):
        raise fields.refused("encoding_format", f"is {short(form)}; send float or base64")
    return EmbeddingWish(model=model, texts=texts, packed=form == "base64", extra=fields.rest)


def embedding_json(wish: EmbeddingWish, vectors: Sequence[object], prompt_tokens: int) -> object:
    """The answer to an embeddings request."""
    shown = [_packed(vector) if wish.packed else vector for vector in vectors]
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(shown)]
    usage = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
    return {"object": "list", "data": data, "model": wish.model, "usage": usage}


def _packed(vector: object) -> object:
    """A vector as base64 of little-endian 32-bit floats, the form that openai-python asks for by default."""
    numbers = [float(each) for each in vector] if isinstance(vector, list) else []
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
