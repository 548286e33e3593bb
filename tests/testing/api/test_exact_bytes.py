"""The exact bytes of the simulated server: records, framing, headers, errors, in both generations and on all four surfaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import pytest

from gateway.testing import gojson
from gateway.testing.client import Client
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.generations import NEW, OLD
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import ToolUse, always, says

Play: TypeAlias = Callable[..., Awaitable[tuple[SimulatedOllama, Client]]]
Talk: TypeAlias = Callable[..., Awaitable[Client]]
WRITE_FILE: Mapping[str, object] = {
    "type": "function",
    "function": {
        "name": "write_file",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}},
    },
}

HI = {"role": "user", "content": "hi"}
CALL = ToolUse("write_file", {"path": "a.py", "content": "print(1)"})
AT = '"created_at":"2026-11-21T05:46:40.000000001Z"'


def pieces(text: str, model: SimModel) -> list[str]:
    """The text as its tokens; JSON-escaped as Go does."""
    words = model.family.vocabulary
    return [gojson.dumps(words.decode([token]))[1:-1] for token in words.encode(text)]


def count(text: str, model: SimModel) -> int:
    return model.family.vocabulary.count(text)


PROMPT = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
MODEL = SimModel(name="m", script=always("Hello,&you"))
SPEAKER = SimModel(name="m", script=always(says("I go.", CALL)))


async def test_a_streamed_chat(talk: Talk) -> None:
    answer = await (await talk(MODEL)).post("/api/chat", {"model": "m", "messages": [HI]})
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Server" not in answer.headers
    said, prompt = pieces("Hello,&you", MODEL), count(PROMPT, MODEL)
    made = len(said) + 1  # with the token that ends the turn
    lines = [
        f'{{"model":"m",{AT},"message":{{"role":"assistant","content":"{piece}"}},"done":false}}\n' for piece in said
    ]
    metrics = (
        f'"total_duration":{(1000 + prompt + made) * 1000},"load_duration":1000000,"prompt_eval_count":{prompt},'
        f'"prompt_eval_cached_count":0,"prompt_eval_duration":{prompt * 1000},"eval_count":{made},"eval_duration":{made * 1000}'
    )
    end = f'{{"model":"m",{AT},"message":{{"role":"assistant","content":""}},"done":true,"done_reason":"stop",{metrics}}}\n'
    assert answer.text == "".join(lines) + end


async def test_a_whole_chat(talk: Talk) -> None:
    answer = await (await talk(MODEL)).post("/api/chat", {"model": "m", "messages": [HI], "stream": False})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.text.startswith(
        f'{{"model":"m",{AT},"message":{{"role":"assistant","content":"Hello,\\u0026you"}},"done":true,"done_reason":"stop","total_duration":'
    )


async def test_the_old_generation_tells_no_cached_tokens(talk: Talk) -> None:
    answer = await (await talk(MODEL, generation=OLD)).post("/api/chat", {"model": "m", "messages": [HI]})
    assert list(answer.lines[-1])[-6:] == [
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_duration",
        "eval_count",
        "eval_duration",
    ]


async def test_a_call_comes_whole_in_one_record(talk: Talk) -> None:
    answer = await (await talk(SPEAKER)).post("/api/chat", {"model": "m", "messages": [HI], "tools": [WRITE_FILE]})
    record = answer.text.splitlines()[-2]
    name = str(answer.lines[-2]).split("call_")[1][:8]
    assert record == (
        f'{{"model":"m",{AT},"message":{{"role":"assistant","content":"","tool_calls":[{{"id":"call_{name}","function":'
        '{"index":0,"name":"write_file","arguments":{"path":"a.py","content":"print(1)"}}}]},"done":false}'
    )


async def test_generate(talk: Talk) -> None:
    client = await talk(MODEL)
    answer = await client.post("/api/generate", {"model": "m", "prompt": "x"})
    first = pieces("Hello,&you", MODEL)[0]
    assert answer.text.splitlines()[0] == f'{{"model":"m",{AT},"response":"{first}","done":false}}'
    assert list(answer.lines[-1])[:6] == ["model", "created_at", "response", "done", "done_reason", "context"]
    raw = await client.post("/api/generate", {"model": "m", "prompt": "x", "raw": True, "stream": False})
    assert "context" not in raw.json
    assert raw.json["response"] == "Hello,&you"


@pytest.mark.parametrize(
    ("body", "record"),
    [
        ({"keep_alive": 0}, '"done":true,"done_reason":"unload"}'),
        ({}, '"done":true,"done_reason":"load"}'),
    ],
)
async def test_loading_and_unloading(talk: Talk, body: dict[str, object], record: str) -> None:
    client = await talk(MODEL)
    chat = await client.post("/api/chat", {"model": "m", "messages": [], **body})
    assert chat.text == f'{{"model":"m",{AT},"message":{{"role":"assistant","content":""}},{record}'
    generate = await client.post("/api/generate", {"model": "m", **body})
    assert generate.text == f'{{"model":"m",{AT},"response":"",{record}'
    assert generate.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_rendering_only(talk: Talk) -> None:
    client = await talk(MODEL)
    body = {"model": "m", "messages": [HI], "_debug_render_only": True}
    prompt = "\\u003c|im_start|\\u003euser\\nhi\\u003c|im_end|\\u003e\\n\\u003c|im_start|\\u003eassistant\\n"
    answer = await client.post("/api/chat", body)
    assert answer.text == (
        f'{{"model":"m",{AT},"message":{{"role":"","content":""}},"done":false,"_debug_info":{{"rendered_template":"{prompt}"}}}}'
    )
    openai = await client.post("/v1/chat/completions", body)
    assert openai.text.endswith(
        '"choices":[{"index":0,"message":{"role":"","content":""},"finish_reason":null}],'
        f'"usage":{{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}},"_debug_info":{{"rendered_template":"{prompt}"}}}}\n'
    )


async def test_logprobs_tell_what_the_parser_withholds(talk: Talk) -> None:
    body = {
        "model": "m",
        "messages": [HI],
        "tools": [WRITE_FILE],
        "logprobs": True,
        "options": {"num_predict": count("I go.\n<tool_call>\n<function=write_file>", SPEAKER)},
    }
    answer = await (await talk(SPEAKER)).post("/api/chat", body)
    tokens = [entry["token"] for line in answer.lines[:-1] for entry in line["logprobs"]]  # type: ignore[attr-defined]
    assert "".join(tokens) == "I go.\n<tool_call>\n<function=write_file>"
    assert answer.content == "I go."
    assert answer.lines[-1]["done_reason"] == "length"
    first = pieces("I go.", SPEAKER)[0]
    assert f'"done":false,"logprobs":[{{"token":"{first}","logprob":-0.' in answer.text
    assert f'"bytes":{list(first.encode())}}}]}}'.replace(" ", "") in answer.text.splitlines()[0]


async def test_top_logprobs(talk: Talk) -> None:
    body = {"model": "m", "messages": [HI], "logprobs": True, "top_logprobs": 2, "stream": False}
    answer = await (await talk(MODEL)).post("/api/chat", body)
    entries = answer.json["logprobs"]
    assert isinstance(entries, list)
    assert [len(entry["top_logprobs"]) for entry in entries] == [2] * count("Hello,&you", MODEL)
    assert list(answer.json)[4:7] == ["done_reason", "logprobs", "total_duration"]


ID = '"object":"chat.completion.chunk","created":1795240000,"model":"m","system_fingerprint":"fp_ollama"'


def usage(prompt: int, made: int) -> str:
    return f'{{"prompt_tokens":{prompt},"prompt_tokens_details":{{"cached_tokens":0}},"completion_tokens":{made},"total_tokens":{prompt + made}}}'


def chunk(delta: str, reason: str = "null") -> str:
    return f'{ID},"choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}'


async def test_a_streamed_chat_completion_of_the_new_generation(play: Play) -> None:
    server, client = await play(SPEAKER)
    body = {
        "model": "m",
        "messages": [HI],
        "tools": [WRITE_FILE],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    answer = await client.post("/v1/chat/completions", body)
    assert answer.headers["Content-Type"] == "text/event-stream"
    events = [event.partition(",")[2] or event for event in answer.events]
    first, *others = pieces("I go.", SPEAKER)
    call = answer.text.split('"id":"call_')[1][:8]
    made = count(SPEAKER.family.dialect.write(says("I go.", CALL)), SPEAKER) + 1
    assert events[:-1] == [
        chunk(f'{{"role":"assistant","content":"{first}"}}'),
        *(chunk(f'{{"content":"{piece}"}}') for piece in others),
        chunk(
            f'{{"content":"","tool_calls":[{{"id":"call_{call}","index":0,"type":"function","function":'
            '{"name":"write_file","arguments":"{\\"path\\":\\"a.py\\",\\"content\\":\\"print(1)\\"}"}}]}'
        ),
        chunk("{}", '"tool_calls"'),
        f'{ID},"choices":[],"usage":{usage(server.generations[0].prompt_tokens, made)}}}',
    ]
    assert events[-1] == "[DONE]"


async def test_a_streamed_chat_completion_of_the_old_generation(talk: Talk) -> None:
    body = {"model": "m", "messages": [HI], "tools": [WRITE_FILE], "stream": True}
    answer = await (await talk(SPEAKER, generation=OLD)).post("/v1/chat/completions", body)
    events = [event.partition(",")[2] or event for event in answer.events]
    assert events[:2] == [
        chunk(f'{{"role":"assistant","content":"{piece}"}}') for piece in pieces("I go.", SPEAKER)[:2]
    ]
    assert events[-2:] == [chunk('{"role":"assistant","content":""}', '"tool_calls"'), "[DONE]"]


async def test_only_the_old_generation_calls_a_cut_answer_finished_with_calls(talk: Talk) -> None:
    twice = SimModel(name="m", script=always(says("", CALL, CALL)))
    body = {
        "model": "m",
        "messages": [HI],
        "tools": [WRITE_FILE],
        "max_tokens": count(twice.family.dialect.write(says("", CALL)), twice) + 3,
    }
    for generation, reason in ((OLD, "tool_calls"), (NEW, "length")):
        choice = (await (await talk(twice, generation=generation)).post("/v1/chat/completions", body)).json["choices"]
        assert isinstance(choice, list)
        assert (len(choice[0]["message"]["tool_calls"]), choice[0]["finish_reason"]) == (1, reason)


async def test_thought_is_reasoning_on_v1(talk: Talk) -> None:
    thinker = SimModel(name="m", family=FAMILIES["qwen3.5"], script=always(says("So.", thinking="Hm.")))
    answer = await (await talk(thinker)).post("/v1/chat/completions", {"model": "m", "messages": [HI], "stream": True})
    deltas = [event.split('"delta":')[1].split(',"finish')[0] for event in answer.events if '"delta":' in event]
    assert deltas[0].startswith('{"role":"assistant","content":"","reasoning":"')
    assert deltas[-2:] == [f'{{"content":"{pieces("So.", thinker)[-1]}"}}', "{}"]


async def test_completions(play: Play) -> None:
    server, client = await play(MODEL)
    answer = await client.post(
        "/v1/completions", {"model": "m", "prompt": "x", "stream": True, "stream_options": {"include_usage": True}}
    )
    none = '"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'
    head, tail = '"object":"text_completion","created":1795240000', '"model":"m","system_fingerprint":"fp_ollama"'
    said = pieces("Hello,&you", MODEL)
    assert [event.partition(",")[2] or event for event in answer.events] == [
        *(f'{head},"choices":[{{"text":"{piece}","index":0,"finish_reason":null}}],{tail},{none}}}' for piece in said),
        f'{head},"choices":[{{"text":"","index":0,"finish_reason":"stop"}}],{tail},{none}}}',
        f'{head},"choices":[],{tail},"usage":{usage(server.generations[0].prompt_tokens, len(said) + 1)}}}',
        "[DONE]",
    ]
    whole = await client.post("/v1/completions", {"model": "m", "prompt": "x"})
    assert '"choices":[{"text":"Hello,\\u0026you","index":0,"finish_reason":"stop"}]' in whole.text


OVERFLOW = (
    '{"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"request (3011 tokens) exceeds the available context size (100 tokens),'
    ' try increasing it\\",\\"type\\":\\"exceed_context_size_error\\",\\"n_prompt_tokens\\":3011,\\"n_ctx\\":100}}"}'
)


async def test_an_overflow_is_a_chunked_error_where_a_stream_was_asked_for(talk: Talk) -> None:
    long = {
        "model": "m",
        "messages": [{"role": "user", "content": "word " * 1500}],
        "truncate": False,
        "options": {"num_ctx": 100},
    }
    client = await talk(MODEL)
    streamed, whole = await client.post("/api/chat", long), await client.post("/api/chat", {**long, "stream": False})
    assert (streamed.status, streamed.text) == (whole.status, whole.text)
    assert streamed.status == 400
    assert streamed.text == OVERFLOW.replace("3011", str(streamed.text.split("(")[1].split()[0]))
    assert (streamed.headers["Content-Type"], streamed.headers.get("Content-Length")) == ("application/json", None)
    assert (whole.headers["Content-Type"], whole.headers["Content-Length"]) == (
        "application/json; charset=utf-8",
        str(len(whole.body)),
    )


async def test_an_error_in_the_stream_is_a_line_or_on_v1_swallowed(talk: Talk) -> None:
    crash = Fault(kind=FaultKind.CRASH, at=1, times=None)
    client = await talk(MODEL, faults=[crash])
    chat = await client.post("/api/chat", {"model": "m", "messages": [HI]})
    assert chat.text.splitlines()[1:] == [
        '{"error":"an error was encountered while running the model: unexpected EOF"}'
    ]
    openai = await client.post("/v1/chat/completions", {"model": "m", "messages": [HI], "stream": True})
    first = pieces("Hello,&you", MODEL)[0]
    assert openai.events[1:] == [
        openai.events[0]
        .replace('"model":"m"', '"model":""')
        .replace(f'"role":"assistant","content":"{first}"', '"content":""')
    ]
    bare = await client.post("/v1/completions", {"model": "m", "prompt": "x", "stream": True})
    assert bare.events[1:] == [bare.events[0].replace('"model":"m"', '"model":""').replace(f'"{first}"', '""')]
    whole = await client.post("/v1/chat/completions", {"model": "m", "messages": [HI]})
    assert (whole.status, whole.headers["Content-Type"]) == (500, "application/json")
    assert (
        whole.text
        == '{"error":{"message":"an error was encountered while running the model: unexpected EOF","type":"api_error","param":null,"code":null}}\n'
    )


async def test_a_silent_end_leaves_a_record_that_is_not_done(talk: Talk) -> None:
    client = await talk(MODEL, faults=[Fault(kind=FaultKind.SILENT_END, at=2, times=None)])
    assert [line["done"] for line in (await client.post("/api/chat", {"model": "m", "messages": [HI]})).lines] == [
        False,
        False,
    ]
    whole = await client.post("/api/chat", {"model": "m", "messages": [HI], "stream": False})
    said = pieces("Hello,&you", MODEL)
    assert (
        whole.text
        == f'{{"model":"m",{AT},"message":{{"role":"assistant","content":"{"".join(said[:2])}"}},"done":false}}'
    )
    assert (await client.post("/v1/chat/completions", {"model": "m", "messages": [HI]})).text.endswith(
        '"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}\n'
    )


async def test_a_silent_end_before_anything_was_said(talk: Talk) -> None:
    client = await talk(MODEL, faults=[Fault(kind=FaultKind.SILENT_END, times=None)])
    streamed = await client.post("/api/chat", {"model": "m", "messages": [HI]})
    assert (streamed.status, streamed.body, streamed.headers["Content-Type"]) == (200, b"", "application/x-ndjson")
    whole = await client.post("/api/chat", {"model": "m", "messages": [HI], "stream": False})
    assert (
        whole.text == '{"model":"","created_at":"0001-01-01T00:00:00Z","message":{"role":"","content":""},"done":false}'
    )


REFUSED: list[tuple[str, dict[str, object], int, str]] = [
    ("/api/chat", {"model": "nope", "messages": []}, 404, "model 'nope' not found"),
    ("/api/chat", {}, 400, "model is required"),
    ("/api/show", {}, 400, "model is required"),
    (
        "/api/generate",
        {"model": "m", "prompt": "x", "suffix": "y"},
        400,
        "registry.ollama.ai/library/m:latest does not support insert",
    ),
    ("/api/chat", {"model": "m", "messages": [HI], "think": True}, 400, '"m" does not support thinking'),
    (
        "/api/chat",
        {"model": "m", "messages": [HI], "format": "bad", "stream": False},
        500,
        'invalid format: "\\"bad\\""; expected "json" or a valid JSON Schema object',
    ),
    ("/api/chat", {"model": "m", "options": {"seed": "x"}}, 500, 'option "seed" must be of type integer'),
    ("/api/copy", {"source": "nope", "destination": "x"}, 404, 'model "nope" not found'),
    ("/api/pull", {"model": "nope"}, 500, "pull model manifest: file does not exist"),
]


@pytest.mark.parametrize(("path", "body", "status", "text"), REFUSED)
async def test_refusals(talk: Talk, path: str, body: dict[str, object], status: int, text: str) -> None:
    answer = await (await talk(MODEL)).post(path, body)
    assert (answer.status, answer.json) == (status, {"error": text})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


REFUSED_V1: list[tuple[dict[str, object], int, str, str]] = [
    ({"model": "nope", "messages": [HI]}, 404, "model 'nope' not found", "not_found_error"),
    ({"model": "m", "messages": []}, 400, "[] is too short - 'messages'", "invalid_request_error"),
    (
        {"model": "m", "messages": [{"role": "user", "content": None}]},
        400,
        "invalid message content type: <nil>",
        "invalid_request_error",
    ),
    (
        {
            "model": "m",
            "messages": [
                {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "x", "arguments": '{"a":'}}]}
            ],
        },
        400,
        "invalid tool call arguments",
        "invalid_request_error",
    ),
]


@pytest.mark.parametrize(("body", "status", "text", "kind"), REFUSED_V1)
async def test_refusals_on_v1(talk: Talk, body: dict[str, object], status: int, text: str, kind: str) -> None:
    answer = await (await talk(MODEL)).post("/v1/chat/completions", body)
    assert (answer.status, answer.json) == (
        status,
        {"error": {"message": text, "type": kind, "param": None, "code": None}},
    )


async def test_bytes_are_a_function_of_the_seed(talk: Talk) -> None:
    body = {"model": "m", "messages": [HI], "tools": [WRITE_FILE], "logprobs": True}
    answers = [(await (await talk(SPEAKER, seed=seed)).post("/api/chat", body)).body for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


async def test_the_recorded_release_candidate_is_a_generation_too(talk: Talk) -> None:
    candidate = replace(NEW, version="0.33.0-rc2", reports_cached=False)
    answer = await (await talk(MODEL, generation=candidate)).post("/api/chat", {"model": "m", "messages": [HI]})
    assert "prompt_eval_cached_count" not in answer.text
