"""What servers say when they fail, as one table: status and text to FailureKind. Each row names who says it; first match wins.

Sources: Ollama v0.24.0 and v0.33 (server/, llm/), llama.cpp's server, vLLM, LM Studio; the OOM list is Ollama's own.
"""

from __future__ import annotations

import re

from gateway.core.failures import Failure, FailureKind

_K = FailureKind
_ROWS: tuple[tuple[FailureKind, str], ...] = (
    # Out of memory. Ollama llm/status.go keeps the same list; the last three are the old generation's and a kernel's kill.
    (_K.OUT_OF_MEMORY, r"out of memory|out of device memory|cudaMalloc failed|hipMalloc failed|failed to allocate"),
    (
        _K.OUT_OF_MEMORY,
        r"allocation failed|not enough memory|insufficient memory|vk_error_out_of_device|erroroutofmemory",
    ),
    (_K.OUT_OF_MEMORY, r"requires more system memory|unable to load full model on GPU|out-of-memory during startup"),
    (_K.OUT_OF_MEMORY, r"process has terminated: signal: killed"),
    # A prompt longer than the window. Ollama old and new, llama.cpp, vLLM and OpenAI, Mistral.
    (_K.OVERFLOW, r"input length exceeds the context length|longer than the context length"),
    (_K.OVERFLOW, r"exceeds the available context size|exceed_context_size|Context size has been exceeded"),
    (_K.OVERFLOW, r"maximum context length|context_length_exceeded|too large for model with|prompt is too long"),
    # The server's own parser choked on what its model wrote. Ollama's Go parsers, then llama.cpp's.
    (_K.PARSER, r"XML syntax error|failed to parse XML|tool call parsing failed|error parsing tool call"),
    (_K.PARSER, r"incomplete \S+ tool call|expected element type|unexpected end of JSON input|^EOF$"),
    (_K.PARSER, r"returned invalid tool call arguments|Failed to parse input at pos|does not match the expected"),
    (_K.PARSER, r"^tool '.*' not found|after top-level value|looking for beginning of"),
    # Going round in circles: Ollama after #18374.
    (_K.LOOPING, r"token repeat limit"),
    # A full queue. Ollama server/sched.go (two spaces in its text).
    (_K.OVERLOADED, r"server busy|maximum pending requests|too many requests|overloaded"),
    # Not loaded yet, or too slowly.
    (_K.LOADING, r"timed out waiting for llama|Loading model|model is loading"),
    # The runner died. Old generation says "llama runner", the new one "llama-server".
    (_K.CRASHED, r"runner has unexpectedly stopped|error was encountered while running the model"),
    (_K.CRASHED, r"process has terminated|process no longer running|error reading llama|error starting llama"),
    (_K.CRASHED, r"Compute error|decode\(\) failed|Invalid input batch|GGML_ASSERT|CUDA error|ROCm error"),
    (_K.CRASHED, r"model failed to load|unable to load model|llama-server chat error|connection reset|unexpected EOF"),
    # No such model.
    (_K.MODEL_MISSING, r"model '?\S+'? not found|not found, try pulling|model .* does not exist|Invalid model"),
)
_TABLE = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ROWS)
_BY_STATUS = {401: _K.UNAUTHORIZED, 403: _K.UNAUTHORIZED, 404: _K.MODEL_MISSING, 429: _K.OVERLOADED, 503: _K.OVERLOADED}
_RAW = (
    re.compile(r"raw='(.*)', err=", re.DOTALL),  # Ollama, harmony
    re.compile(r"Failed to parse input at pos \d+: (.*)", re.DOTALL),  # llama.cpp
)
_SIZE = re.compile(r"request \((\d+) tokens\)|n_prompt_tokens\D+(\d+)|resulted in (\d+) tokens")
_LIMIT = re.compile(r"context size \((\d+) tokens\)|n_ctx\D+(\d+)|maximum context length is (\d+)")


def failure_of(status: int, text: str, *, retry_after: float | None = None) -> Failure:
    """The failure that a status and an error text stand for. Status 200: an error line inside a stream."""
    text = text.strip()
    kind = next((kind for kind, pattern in _TABLE if pattern.search(text)), None) or _by_status(status)
    raw = next((found[1] for pattern in _RAW if (found := pattern.search(text))), "") if kind is _K.PARSER else ""
    if kind is _K.OVERFLOW:
        return Failure(kind, text, status, limit=_number(_LIMIT, text), size=_number(_SIZE, text))
    return Failure(kind, text, status, raw=raw, retry_after=retry_after)


def _by_status(status: int) -> FailureKind:
    if kind := _BY_STATUS.get(status):
        return kind
    return _K.REFUSED if 400 <= status < 500 else _K.CRASHED


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)) if found else 0
