"""Somebody who wants a secret out of the house: unusual fields, layers of encodings, pieces, packed and hidden text. All of it stays."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import zlib
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.units import contents
from gateway.core.wire import openai_request
from tests.core.privacy.issued import FORMS, issued

Body = dict[str, Any]

TOKEN = issued(FORMS["github classic"], random.Random(11))
ADDRESS = "postgres://admin:Kj8sdf2mQx@db.acme.com/prod"
ASSIGNED = 'password = "Kj8sdf2mQ"'
SECRETS = {"a token": TOKEN, "an address": ADDRESS, "an assignment": ASSIGNED}


def chat(*messages: Body, **more: object) -> Body:
    opening = {"role": "system", "content": "Working directory: /home/me/open"}
    return {"model": "m", "messages": [opening, *messages, {"role": "user", "content": "go on"}], **more}


def said(text: str) -> Body:
    return chat({"role": "user", "content": text})


def called(arguments: object, *, name: str = "write", number: str = "call_1") -> Body:
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": number, "type": "function", "function": {"name": name, "arguments": written}}
    return chat(
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": number, "content": "."},
    )


def tool(**parts: object) -> Body:
    return chat(tools=[{"type": "function", "function": {"name": "n", "description": "d", "parameters": {}, **parts}}])


def nested(value: object, depth: int) -> object:
    for _ in range(depth):
        value = {"a": value}
    return value


def again(encode: Callable[[str], str], text: str, times: int) -> str:
    for _ in range(times):
        text = encode(text)
    return text


def base64(data: bytes) -> str:
    return b64encode(data).decode()


def stays(body: Body, engine: Matcher) -> bool:
    conversation, _ = openai_request.decode(json.dumps(body).encode())
    gate = Gate(PrivacyRules(leave=True, roots={"/home/me/open": "redact"}), engine, key=bytes(32), now=lambda: 0.0)
    return not gate.judge(contents(conversation), Claim(label="cloud-ok"), tainted=frozenset(), until=1.0).leaves


FIELDS: Mapping[str, Callable[[str], Body]] = {
    "metadata": lambda text: chat(metadata={"k": text}),
    "name of metadata": lambda text: chat(metadata={text: "v"}),
    "user": lambda text: chat(user=text),
    "logit_bias": lambda text: chat(logit_bias={text: -100}),
    "stop": lambda text: chat(stop=[text]),
    "schema of the answer": lambda text: chat(
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"description": text}}}
    ),
    "effort": lambda text: chat(reasoning_effort=text),
    "effort of OpenRouter": lambda text: chat(reasoning={"effort": text}),
    "settings of a template": lambda text: chat(chat_template_kwargs={"enable_thinking": True, "x": text}),
    "prediction": lambda text: chat(prediction={"type": "content", "content": text}),
    "deep in a field": lambda text: chat(x=nested(text, 60)),
    "list of lists": lambda text: chat(x=[[[[text]]]]),
    "name of an argument": lambda text: called({text: "x"}),
    "list as arguments": lambda text: called([text]),
    "deep in arguments": lambda text: called(nested(text, 60)),
    "JSON in arguments, five times": lambda text: called({"x": again(json.dumps, text, 5)}),
    "arguments that are no JSON": lambda text: called('{"a": ' + json.dumps(text)),
    "pieces in arguments": lambda text: called({"x": [text[at : at + 4] for at in range(0, len(text), 4)]}),
    "name of a call": lambda text: called({}, name=text),
    "id of a call": lambda text: called({}, number=text),
    "name of a tool": lambda text: tool(name=text),
    "choices of a parameter": lambda text: tool(parameters={"properties": {"a": {"enum": [text]}}}),
    "name of a parameter": lambda text: tool(parameters={"properties": {text: {"type": "string"}}}),
    "unknown field of a tool": lambda text: tool(y=text),
    "unknown field of a message": lambda text: chat({"role": "user", "content": "x", "zz": text}),
    "pieces of a message": lambda text: chat(
        {"role": "user", "content": [{"type": "text", "text": text[at : at + 5]} for at in range(0, len(text), 5)]}
    ),
    "thought": lambda text: chat({"role": "assistant", "content": "x", "reasoning_content": text}),
    "base64 four times": lambda text: said(again(lambda each: base64(each.encode()), text, 4)),
    "every letter an entity, four times": lambda text: said(again(lambda each: each.replace("&", "&amp;"), "".join(f"&#{ord(each)};" for each in text), 3)),
    "string put together": lambda text: said(" + ".join(f'"{text[at : at + 6]}"' for at in range(0, len(text), 6))),
    "octal": lambda text: said("".join(f"\\{ord(each):03o}" for each in text)),
    "braces": lambda text: said("".join(f"\\u{{{ord(each):x}}}" for each in text)),
    "long escapes": lambda text: said("".join(f"\\U{ord(each):08x}" for each in text)),
    "base64 of UTF-16 with its mark": lambda text: said(base64(text.encode("utf-16"))),
    "base64 of UTF-32": lambda text: said(base64(text.encode("utf-32-le"))),
    "base32": lambda text: said(b32encode(text.encode()).decode()),
    "Cyrillic": lambda text: said(text.translate(str.maketrans("aeopcyxABEKMHOPCTX", "аеорсухАВЕКМНОРСТХ"))),
    "Arabic digits": lambda text: said(text.translate({48 + digit: 0x660 + digit for digit in range(10)})),
    "struck out": lambda text: said("".join(f"{each}\u0336" for each in text)),
    "tags": lambda text: said("hello" + "".join(chr(0xE0000 + ord(each)) for each in text)),
    "variation selectors": lambda text: said("hello" + "".join(chr(0xE00F0 + ord(each)) for each in text)),
    "zero width": lambda text: said("hi" + "".join("\u200b\u200c"[int(bit)] for each in text.encode() for bit in f"{each:08b}")),
    "at the end of a long line": lambda text: said("x" * 200_000 + " " + text),
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", FIELDS)
def test_no_way_out(way: str, secret: str, engine: Matcher) -> None:
    assert stays(FIELDS[way](SECRETS[secret]), engine)


CIPHER = random.Random(12).randbytes
OPAQUE = {
    "gzip": base64(gzip.compress(ADDRESS.encode(), mtime=0)),
    "gzip for addresses": urlsafe_b64encode(gzip.compress(ADDRESS.encode(), mtime=0)).decode(),
    "gzip in hexadecimal": gzip.compress(ADDRESS.encode(), mtime=0).hex(),
    "zlib": base64(zlib.compress(ADDRESS.encode())),
    "bzip2": base64(bz2.compress(ADDRESS.encode())),
    "xz": base64(lzma.compress(ADDRESS.encode())),
    "ciphertext": base64(CIPHER(120)),
    "longer ciphertext": base64(CIPHER(600)),
    "wrapped ciphertext": "\n".join(base64(CIPHER(300))[at : at + 64] for at in range(0, 400, 64)),
    "ciphertext in hexadecimal": CIPHER(100).hex(),
    "data in an address": f"data:application/octet-stream;base64,{base64(CIPHER(200))}",
    "a picture in a text": f"![x](data:image/png;base64,{base64(CIPHER(300))})",
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_nobody_can_look_into_stays(name: str, engine: Matcher) -> None:
    assert stays(said(f"Look at this: {OPAQUE[name]}"), engine)


HIDDEN = {"tags", "variation selectors", "zero width"}  # stays, whatever it says


@pytest.mark.parametrize("way", sorted(FIELDS.keys() - HIDDEN))
def test_harmless_words_go_the_same_ways(way: str, engine: Matcher) -> None:
    assert not stays(FIELDS[way]("the quick brown fox"), engine)
