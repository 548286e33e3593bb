"""The OpenAI text surfaces: bare prompts and embeddings."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from gateway.core.conversation import Completion
from gateway.core.errors import BadRequest, Code
from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage
from gateway.core.wire.openai_answer import Envelope
from gateway.core.wire.openai_text import (
    StreamEncoder,
    decode,
    decode_embedding,
    embedding_json,
    encode,
    encode_whole,
)
from tests.core.wire.answers import encoded

ENVELOPE = Envelope(id="cmpl-1", created=1700000000, model="m", usage=True)
TURN: list[Part] = [Reasoning("Hm."), Text("a"), Call(id="c", name="f", arguments="{}"), Text("b"), Usage(prompt_tokens=2, completion_tokens=1), Did(("continued",)), Stop(StopReason.TOOL_CALLS)]  # fmt: skip


def refused(body: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decode(body)
    return caught.value


def test_a_prompt() -> None:
    conversation, wish = decode(
        b'{"model":"m","prompt":["Say"],"suffix":"!","max_tokens":5,"stop":"x","echo":true,"stream":true}'
    )
    assert conversation.completion == Completion(prompt="Say", suffix="!")
    assert (conversation.sampling.max_tokens, conversation.sampling.stop, wish.stream) == (5, ("x",), True)
    assert conversation.extra == {"echo": True}
    assert json.loads(encode(conversation, model="real", max_tokens=7)) == {
        "echo": True,
        "model": "real",
        "prompt": "Say",
        "suffix": "!",
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
    }


@pytest.mark.parametrize("prompt", [b'""', b"[]", b'[""]', b"null", b"[1,2]", b'["a","b"]', b"5"])
def test_prompts_that_are_not_one_text(prompt: bytes) -> None:
    assert refused(b'{"model":"m","prompt":' + prompt + b"}").problem.param == "prompt"


def test_several_answers_are_a_clear_no() -> None:
    assert refused(b'{"model":"m","prompt":"a","n":2}').problem.code is Code.UNSUPPORTED


def test_a_stream_for_a_client() -> None:
    events = b"".join(encoded(StreamEncoder(ENVELOPE), TURN)).decode().split("\n\n")
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "m", "system_fingerprint": "fp_holdfast"}  # fmt: skip
    assert [json.loads(event.removeprefix("data: ")) for event in events[:4]] == [
        {**head, "choices": [{"text": "a", "index": 0, "finish_reason": None}]},
        {**head, "choices": [{"text": "b", "index": 0, "finish_reason": None}]},
        {**head, "choices": [{"text": "", "index": 0, "finish_reason": "stop"}]},
        {**head, "choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}},
    ]
    assert events[4:] == [": holdfast did=continued", "data: [DONE]", ""]


def test_a_whole_answer() -> None:
    body = json.loads(encode_whole(TURN, ENVELOPE))
    assert body["choices"] == [{"text": "ab", "index": 0, "finish_reason": "stop"}]
    assert body["holdfast"] == {"did": ["continued"]}


def test_embeddings() -> None:
    wish = decode_embedding(b'{"model":"m","input":"a","encoding_format":"base64","dimensions":2}')
    assert (wish.texts, wish.packed, wish.extra) == (("a",), True, {"dimensions": 2})
    packed = embedding_json(wish, [[0.5, -2]], 3)
    assert isinstance(packed, dict)
    assert struct.unpack("<2f", base64.b64decode(packed["data"][0]["embedding"])) == (0.5, -2.0)
    assert packed["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    plain = decode_embedding(b'{"model":"m","input":["a","b"]}')
    assert embedding_json(plain, [[1], [2]], 3) == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [1]},
            {"object": "embedding", "index": 1, "embedding": [2]},
        ],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


@pytest.mark.parametrize(
    ("fields", "param"), [('"input":[]', "input"), ('"input":[[1]]', "input"), ('"input":"a","encoding_format":"hex"', "encoding_format")]
)  # fmt: skip
def test_embeddings_that_cannot_be(fields: str, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_embedding(f'{{"model":"m",{fields}}}'.encode())
    assert caught.value.problem.param == param
