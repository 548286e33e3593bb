"""What servers say when they fail: one case for each text that we know, and the texts that could be taken for each other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.failures import Failure, FailureKind
from gateway.drivers.wording import failure_of

UNTIMED = settings(deadline=None)  # a busy machine is no failure

K = FailureKind
UNEXPECTED = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details"
OVERFLOW = '{"error":{"code":400,"message":"request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}}'

# (status, text, kind); status 200 is an error line inside a stream
OLLAMA_REQUESTS = [
    (400, "missing request body", K.REFUSED),
    (400, "invalid message content type: <nil>", K.REFUSED),
    (400, "invalid tool call arguments", K.REFUSED),
    (400, "[] is too short - 'messages'", K.REFUSED),
    (400, "json: cannot unmarshal string into Go struct field ChatRequest.options of type map", K.REFUSED),
    (400, "registry.ollama.ai/library/m:latest does not support tools", K.REFUSED),
    (400, '"m" does not support thinking', K.REFUSED),
    (400, '"m" does not support chat', K.REFUSED),
    (400, "m does not support insert", K.REFUSED),
    (400, "raw mode does not support template, system, or context", K.REFUSED),
    (400, "top_logprobs must be between 0 and 20", K.REFUSED),
    (400, "Cannot have 2 or more assistant messages at the end of the list.", K.REFUSED),
    (400, "Cannot continue an assistant message that contains tool calls.", K.REFUSED),
    (403, "ollama cloud is disabled: remote model is unavailable", K.REFUSED),
    (404, "404 page not found", K.REFUSED),
    (404, "model 'm' not found", K.MODEL_MISSING),
    (404, 'model "m:latest" not found, try pulling it first', K.MODEL_MISSING),
    (499, "request canceled", K.CUT),
    (503, "server busy, please try again.  maximum pending requests exceeded", K.OVERLOADED),
]
OLLAMA_NEW = [
    (500, "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory\nerror loading model: unable to allocate CUDA0 buffer", K.OUT_OF_MEMORY),
    (500, "llama-server process has terminated: exit status 1: error loading model: unable to allocate CUDA0 buffer", K.OUT_OF_MEMORY),
    (500, "llama-server process has terminated: signal: killed", K.OUT_OF_MEMORY),
    (500, "llama-server reported out-of-memory during startup: CUDA0", K.OUT_OF_MEMORY),
    (500, "unable to load full model on GPU", K.OUT_OF_MEMORY),
    (500, "llama-server process no longer running: unknown ", K.CRASHED),
    (500, "llama-server process has terminated: exit status 1: error loading model: invalid magic", K.CRASHED),
    (500, "error starting llama-server: fork/exec: permission denied", K.CRASHED),
    (500, "llama-server binary not found (checked: /usr/lib/ollama)", K.REFUSED),
    (500, "llama-server process has terminated: exit status 1: this model may be incompatible with your version of Ollama. If you previously pulled this model, try updating it by running `ollama pull m`", K.REFUSED),
    (500, "timed out waiting for llama-server to start - loading tensors", K.LOADING),
    (500, "timed out waiting for llama-server to start - cudaMalloc failed: out of memory", K.OUT_OF_MEMORY),
    (500, "timed out waiting for llama-server to start: context canceled", K.LOADING),
    (500, UNEXPECTED + ": CUDA error: out of memory", K.OUT_OF_MEMORY),
    (500, UNEXPECTED, K.CRASHED),
    (200, "an error was encountered while running the model: CUDA error: out of memory", K.OUT_OF_MEMORY),
    (200, "an error was encountered while running the model: unexpected EOF", K.CRASHED),
    (200, "error reading llama-server response: read tcp 127.0.0.1:1: connection reset by peer", K.CRASHED),
    (500, '{"error": {"code": 500, "message": "Compute error.", "type": "server_error"}}', K.CRASHED),
    (200, "llama-server chat error: map[code:500 message:Compute error. type:server_error]", K.CRASHED),
    (500, "Invalid input batch.", K.CRASHED),
    (500, "decode() failed: -3", K.CRASHED),
    (500, "prediction aborted, token repeat limit reached", K.LOOPING),
    (400, OVERFLOW, K.OVERFLOW),
    (400, json.dumps({"error": OVERFLOW}), K.OVERFLOW),
    (400, "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the context length in settings, or use a model with a longer context length", K.OVERFLOW),
]  # fmt: skip
OLLAMA_OLD = [
    (500, "model requires more system memory (12.3 GiB) than is available (7.9 GiB)", K.OUT_OF_MEMORY),
    (500, "insufficient memory - required allocations: {InputWeights:1 CPU:…}", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated: signal: killed", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated with exit code -1", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated with exit code 1", K.CRASHED),
    (500, "llama runner process no longer running: -1 ", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated: CUDA error: out of memory", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated: cudaMalloc failed: out of memory\nmore", K.OUT_OF_MEMORY),
    (500, "llama runner process has terminated: exit status 2", K.CRASHED),
    (500, "llama runner process no longer running: 2 error:failed", K.CRASHED),
    (500, "timed out waiting for llama runner to start - progress 0.42 - ", K.LOADING),
    (500, "unexpected server status: llm server loading model", K.LOADING),
    (500, "unexpected server status: llm server not responding", K.CRASHED),
    (500, "unable to load model: /models/blobs/sha256-0", K.CRASHED),
    (500, "model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details", K.CRASHED),
    (500, 'POST predict: Post "http://127.0.0.1:1/completion": EOF', K.CRASHED),
    (400, "the input length exceeds the context length", K.OVERFLOW),
]  # fmt: skip
OLLAMA_MEMORY = [
    (500, f"ggml: {words} here", K.OUT_OF_MEMORY)
    for words in ("out of memory", "out of device memory", "cudaMalloc failed", "hipMalloc failed", "failed to allocate", "allocation failed", "not enough memory", "insufficient memory", "vk_error_out_of_device_memory", "ErrorOutOfMemory")
]  # fmt: skip
OLLAMA_PARSERS = [
    (500, "error parsing tool call: raw='{\"path\":\"a.py\"}]', err=invalid character ']' after top-level value", K.PARSER),
    (500, "error parsing tool call: raw='ls -R\n', err=invalid character 'l' looking for beginning of value", K.PARSER),
    (500, "error parsing tool call: raw='{\"content\":\"print(1', err=unexpected end of JSON input", K.PARSER),
    (500, "error parsing tool call: invalid character ']' after object key:value pair", K.PARSER),
    (500, '{"error parsing tool call": "invalid character \'c\' looking for beginning of value"}', K.PARSER),
    (500, "XML syntax error on line 110: unexpected EOF", K.PARSER),
    (200, 'qwen tool call parsing failed error="XML syntax error on line 115: unexpected EOF"', K.PARSER),
    (200, "XML syntax error on line 7: expected element name after <", K.PARSER),
    (200, "XML syntax error on line 4: invalid character entity & (no semicolon)", K.PARSER),
    (200, "XML syntax error on line 8: element <function> closed by </parameter>", K.PARSER),
    (200, "XML syntax error on line 1: illegal character code U+0019", K.PARSER),
    (200, "element <parameter> closed by </function>", K.PARSER),
    (200, "expected element type <function> but have <parameter>", K.PARSER),
    (500, "EOF", K.PARSER),
    (500, '{"error":"EOF"}', K.PARSER),
    (500, "failed to parse XML: XML syntax error on line 1: element <tool_call> closed by </arg_key>", K.PARSER),
    (500, "incomplete GLM tool call: XML syntax error on line 1: element <arg_value> closed by </tool_call>", K.PARSER),
    (500, 'qwen3 tool call parsing failed error="failed to parse JSON: unexpected end of JSON input"', K.PARSER),
    (500, "gemma4 tool call parsing failed error=\"invalid character '@' looking for beginning of object key string\\nrepair failed\"", K.PARSER),
    (500, "unexpected end of JSON input", K.PARSER),
    (500, "tool 'reed_file' not found", K.PARSER),
    (500, 'llama-server returned invalid tool call arguments for "write": unexpected end of JSON input', K.PARSER),
]  # fmt: skip
LLAMA_CPP = [
    (503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', K.LOADING),
    (500, "Failed to parse input at pos 668: \n<tool_call>\n<function=read>", K.PARSER),
    (500, "Failed to parse tool call arguments as JSON: [json.exception.parse_error.101]", K.PARSER),
    (500, "The model produced output that does not match the expected peg-native format", K.PARSER),
    (500, "Context size has been exceeded.", K.OVERFLOW),
    (404, '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}', K.REFUSED),
    (401, '{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}', K.UNAUTHORIZED),
]
OTHERS = [
    (400, '{"object":"error","message":"This model\'s maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion).","code":400}', K.OVERFLOW),
    (400, "The decoder prompt (length 9000) is longer than the maximum model length of 8192. Make sure that `max_model_len` is no smaller", K.OVERFLOW),
    (400, "The prompt (total length 25938) is too long to fit into the model (context length 4096).", K.OVERFLOW),
    (404, "The model `m` does not exist.", K.MODEL_MISSING),
    (404, '{"detail":"Not Found"}', K.REFUSED),
    (500, "EngineCore encountered an issue. See stack trace (above) for the root cause.", K.CRASHED),
    (500, "CUDA out of memory. Tried to allocate 2.00 GiB", K.OUT_OF_MEMORY),
    (400, "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.", K.OVERFLOW),
    (400, "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", K.OVERFLOW),
    (400, "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096).", K.OVERFLOW),
    (400, "The model has crashed without additional information. (Exit code: 18446744072635812000)", K.CRASHED),
    (400, 'Failed to load model "m". Error: Operation canceled.', K.CRASHED),
    (400, "No models loaded. Please load a model in the developer page", K.MODEL_MISSING),
    (400, "x/y is not a valid model ID", K.MODEL_MISSING),
    (429, "Rate limit exceeded: free-models-per-day", K.OVERLOADED),
    (400, "Prompt contains 9000 tokens and 0 draft tokens, too large for model with 8192 maximum context length", K.OVERFLOW),
]  # fmt: skip
CASES = [*OLLAMA_REQUESTS, *OLLAMA_NEW, *OLLAMA_OLD, *OLLAMA_MEMORY, *OLLAMA_PARSERS, *LLAMA_CPP, *OTHERS]


@pytest.mark.parametrize(("status", "text", "kind"), CASES)
def test_a_text(status: int, text: str, kind: FailureKind) -> None:
    assert failure_of(status, text).kind is kind
    assert failure_of(status, json.dumps({"error": text})).kind is kind  # and once more inside an error's body


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, K.REFUSED), (401, K.UNAUTHORIZED), (403, K.UNAUTHORIZED), (404, K.MODEL_MISSING), (413, K.REFUSED), (422, K.REFUSED),
     (429, K.OVERLOADED), (500, K.CRASHED), (502, K.CRASHED), (503, K.OVERLOADED), (504, K.CRASHED), (200, K.CRASHED)],
)  # fmt: skip
def test_a_status_alone(status: int, kind: FailureKind) -> None:
    assert failure_of(status, "hm").kind is kind


@pytest.mark.parametrize(
    "quoted",
    [
        "out of memory",
        "the input length exceeds the context length",
        "server busy",
        "model 'x' not found",
        "CUDA error",
        "Loading model",
    ],
)
def test_what_a_parser_quotes_is_not_what_went_wrong(quoted: str) -> None:
    """The raw text is the model's own: it may talk of anything."""
    for text in (
        f"error parsing tool call: raw='{{\"command\":\"grep '{quoted}' log', err=unexpected end of JSON input",
        f"Failed to parse input at pos 7: <tool_call>{quoted}",
        f'gemma4 tool call parsing failed error="x" content="{quoted}"',
    ):
        assert failure_of(500, text).kind is K.PARSER


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("error parsing tool call: raw='{\"a\":\"it's', err=unexpected end of JSON input", '{"a":"it\'s'),
        ("error parsing tool call: raw='a\nb' err=invalid character", "a\nb"),
        ("Failed to parse input at pos 3: <x>\ny", "<x>\ny"),
        ('{"error":{"message":"Failed to parse input at pos 3: <x>\\ny"}}', "<x>\ny"),
        ("XML syntax error on line 1: raw", ""),
    ],
)
def test_what_the_model_wrote_is_kept_where_the_text_carries_it(text: str, raw: str) -> None:
    assert failure_of(500, text).raw == raw


@pytest.mark.parametrize(
    ("text", "size", "limit"),
    [
        (OVERFLOW, 9000, 8192),
        ("This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion).", 112946, 16384),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", 9000, 8192),
        ("This model's maximum context length is 4096 tokens and your request has 1000 input tokens", 1000, 4096),
        ("This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens", 140000, 131072),
        ("The decoder prompt (length 9000) is longer than the maximum model length of 8192.", 9000, 8192),
        ("The prompt (total length 25938) is too long to fit into the model (context length 4096).", 25938, 4096),
        ("Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens", 15857, 4096),
        ("Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", 15028, 7424),
        ("the input length exceeds the context length", 0, 0),
        (f"request ({'9' * 5000} tokens) exceeds the available context size", 999999999999, 0),
    ],
)  # fmt: skip
def test_sizes_of_an_overflow(text: str, size: int, limit: int) -> None:
    failure = failure_of(400, text)
    assert (failure.kind, failure.size, failure.limit) == (K.OVERFLOW, size, limit)


def test_the_detail_is_the_innermost_message() -> None:
    assert failure_of(400, json.dumps({"error": OVERFLOW})).detail == (
        "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it"
    )
    assert failure_of(429, " busy ", retry_after=3.0) == Failure(K.OVERLOADED, "busy", 429, retry_after=3.0)


@UNTIMED
@given(
    st.integers(200, 599),
    st.text(st.characters(), max_size=60) | st.from_regex(r'\{"(error|message|detail)":.{0,20}\}'),
)
def test_no_text_is_too_odd(status: int, text: str) -> None:
    assert failure_of(status, text).status == status


def test_a_long_text_is_read_in_time() -> None:
    """64 KiB of an error body, made to be hard."""
    for piece in (
        "request (",
        "model '",
        "raw='",
        "invalid character '",
        "incomplete ",
        "context length ",
        '{"error":',
    ):
        assert failure_of(500, piece * (65536 // len(piece))).status == 500
