"""What servers say when they fail, as one table: status and text to FailureKind. Each row names who says it; first match wins.

Sources: Ollama v0.24.0 and v0.33 (server/, llm/, model/parsers/), llama.cpp's server, vLLM, LM Studio; the OOM words are Ollama's own.
"""

from __future__ import annotations

import re

from gateway.core import jsontext
from gateway.core.failures import Failure, FailureKind

_K = FailureKind
_ROWS: tuple[tuple[FailureKind, str], ...] = (
    # Parsers that quote what the model wrote stand first: the quotation may hold any other row's words.
    (_K.PARSER, r"error parsing tool call|tool call parsing failed|returned invalid tool call arguments"),
    (_K.PARSER, r"Failed to parse (?:input at pos|tool call arguments)|output that does not match the expected"),
    # Out of memory. The first two rows are Ollama's list (llm/status.go); then its old generation's words, a kernel's kill.
    (_K.OUT_OF_MEMORY, r"out of memory|out of device memory|cudaMalloc failed|hipMalloc failed|failed to allocate"),
    (
        _K.OUT_OF_MEMORY,
        r"allocation failed|(?:not enough|insufficient) memory|out_?of_?device_?memory|erroroutofmemory",
    ),
    (_K.OUT_OF_MEMORY, r"requires more system memory|unable to load full model on GPU|out-of-memory during startup"),
    (_K.OUT_OF_MEMORY, r"unable to allocate|process has terminated: signal: killed"),
    (_K.OUT_OF_MEMORY, r"process has terminated with exit code -1|no longer running: -1"),  # v0.24 of a SIGKILL
    # A prompt longer than the window. Ollama old and new; llama.cpp; vLLM, SGLang and OpenAI; Mistral; LM Studio.
    (_K.OVERFLOW, r"input length exceeds the context length|longer than the context length"),
    (_K.OVERFLOW, r"exceeds the available context size|exceed_context_size|Context size has been exceeded"),
    (_K.OVERFLOW, r"maximum context length|context_length_exceeded|too large for model with|prompt is too long"),
    (_K.OVERFLOW, r"longer than the maximum model length|too long to fit into the model"),
    (_K.OVERFLOW, r"greater than the context length|context length of only|n_keep \(\d+\) >= n_ctx"),
    # The server's own parser choked on what its model wrote. Ollama's Go parsers by their errors alone.
    (_K.PARSER, r"XML syntax error|failed to parse XML|incomplete \S+ tool call|closed by </|expected element"),
    (
        _K.PARSER,
        r"unexpected end of JSON input|invalid character '.{1,10}' (?:looking|after|in) |^EOF$|^tool '.*' not found",
    ),
    # Going round in circles: Ollama after #18374.
    (_K.LOOPING, r"token repeat limit"),
    # A full queue. Ollama server/sched.go (two spaces in its text); pods and OpenRouter.
    (_K.OVERLOADED, r"server busy|maximum pending requests|too many requests|overloaded|rate.?limit"),
    # Not loaded yet, or too slowly. Ollama; llama.cpp's 503.
    (_K.LOADING, r"timed out waiting for llama|^Loading model$|model is loading|server loading model"),
    # A no that stays one: Ollama's missing parts and clouds, endpoints that a server does not have.
    (_K.REFUSED, r"llama-server binary not found|may be incompatible with your version|cloud is disabled"),
    (_K.REFUSED, r"^404 page not found|^Not Found$|File Not Found"),
    # The client's connection to the server went away (Ollama's 499).
    (_K.CUT, r"^request canceled$"),
    # The runner died. Old generation says "llama runner", the new one "llama-server".
    (_K.CRASHED, r"runner has unexpectedly stopped|error was encountered while running the model"),
    (_K.CRASHED, r"process has terminated|process no longer running|error reading llama|error starting llama"),
    (_K.CRASHED, r"Compute error|decode\(\) failed|Invalid input batch|GGML_ASSERT|CUDA error|ROCm error"),
    (_K.CRASHED, r"model failed to load|unable to load model|llama-server chat error|connection reset|unexpected EOF"),
    (_K.CRASHED, r"model has crashed|Failed to load model|EngineCore encountered"),  # LM Studio (status 400), vLLM
    # No such model.
    (_K.MODEL_MISSING, r"model ['\"`]?[^\s'\"`]+['\"`]? (?:not found|does not exist)|model not found"),
    (_K.MODEL_MISSING, r"No models loaded|Invalid model|not a valid model"),
)
_TABLE = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ROWS)
_BY_STATUS = {401: _K.UNAUTHORIZED, 403: _K.UNAUTHORIZED, 404: _K.MODEL_MISSING, 429: _K.OVERLOADED, 503: _K.OVERLOADED}
_SIZE = re.compile(
    r"request \((\d+) tokens\)|resulted in (\d+) tokens|requested \d+ tokens \((\d+) in the messages"
    r"|has (\d+) input tokens|requested (?:about )?(\d+) tokens|total of (\d+) tokens|length (\d+)\) is"
    r"|keep the first (\d+) tokens|n_keep\D{1,3}(\d+)"
)
_LIMIT = re.compile(
    r"context size \((\d+) tokens\)|n_ctx\D+(\d+)|maximum (?:context|model) length (?:is|of) (\d+)"
    r"|context length (?:of only )?(\d+)"
)


def failure_of(status: int, text: str, *, retry_after: float | None = None) -> Failure:
    """The failure that a status and an error text stand for. Status 200: an error line inside a stream."""
    text = text.strip()
    words = _words(text)
    kind = _kind(words) or _kind(text) or _by_status(status)
    if kind is _K.OVERFLOW:
        return Failure(kind, words, status, limit=_number(_LIMIT, words), size=_number(_SIZE, words))
    return Failure(kind, words, status, raw=_raw(words) if kind is _K.PARSER else "", retry_after=retry_after)


def _words(text: str) -> str:
    """The innermost message: Ollama hands on llama-server's error body as a string inside its own."""
    while text.startswith("{"):
        try:
            body = jsontext.loads(text)
        except jsontext.NotJson:
            return text
        match body:
            case {"error": {"message": str(inner)}} | {"error": str(inner)} | {"message": str(inner)}:
                text = inner.strip()
            case {"detail": str(inner)}:  # FastAPI: vLLM, SGLang
                text = inner.strip()
            case _:
                return text
    return text


def _kind(words: str) -> FailureKind | None:
    return next((kind for kind, pattern in _TABLE if pattern.search(words)), None)


def _raw(words: str) -> str:
    """What the model wrote, where its parser's error quotes it: Ollama's for gpt-oss, llama.cpp's."""
    _, opened, rest = words.partition("raw='")
    if opened:
        return rest[: max(rest.rfind("', err="), rest.rfind("' err="), 0)]
    return words.partition("Failed to parse input at pos ")[2].partition(": ")[2]


def _by_status(status: int) -> FailureKind:
    if kind := _BY_STATUS.get(status):
        return kind
    return _K.REFUSED if 400 <= status < 500 else _K.CRASHED


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)[:12]) if found else 0
