"""The two generations of Ollama: what each says when something fails, and where they behave differently.

Old: the `ollama runner` processes up to 0.24.0. New: `llama-server` behind Ollama, from 0.30.0. Strings as recorded from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Cause(StrEnum):
    """Why a request fails; a row of WORDS each."""

    OVERFLOW = "overflow"  # tokens, window
    LAST_TOO_LONG = "last message too long"
    LOAD_MEMORY = "no memory to load"  # need, have (GiB)
    LOAD_KILLED = "killed while loading"
    LOAD_GONE = "gone while loading"
    LOAD_TIMEOUT = "loading takes too long"
    QUEUE_FULL = "queue full"
    GONE = "runner gone before the first token"
    GONE_MEMORY = "runner gone before the first token for want of memory"
    DIED = "runner died while it spoke"
    DIED_MEMORY = "runner ran out of memory while it spoke"
    READ_RESET = "connection to the runner reset"
    COMPUTE = "the runner reports an error"


_STOPPED = (
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error,"
    " check ollama server logs for details"
)
_RUNNING = "an error was encountered while running the model: "
_TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt,"
    " adjust the context length in settings, or use a model with a longer context length"
)
_LLAMA_OVERFLOW = (
    '{{"error":{{"code":400,"message":"request ({tokens} tokens) exceeds the available context size ({window} tokens),'
    ' try increasing it","type":"exceed_context_size_error","n_prompt_tokens":{tokens},"n_ctx":{window}}}}}'
)
_COMPUTE = '{{"error":{{"code":500,"message":"Compute error.","type":"server_error"}}}}'
_NO_MEMORY = "cudaMalloc failed: out of memory\nerror loading model: unable to allocate CUDA0 buffer"


@dataclass(frozen=True, slots=True)
class Words:
    """A status and its text in both generations, with the fields in braces to fill in."""

    status: int
    old: str
    new: str


WORDS: Mapping[Cause, Words] = MappingProxyType(
    {
        Cause.OVERFLOW: Words(400, "the input length exceeds the context length", _LLAMA_OVERFLOW),
        Cause.LAST_TOO_LONG: Words(400, _TOO_LONG, _TOO_LONG),
        Cause.LOAD_MEMORY: Words(
            500,
            "model requires more system memory ({need:.1f} GiB) than is available ({have:.1f} GiB)",
            f"llama-server process has terminated: exit status 1: {_NO_MEMORY}",
        ),
        Cause.LOAD_KILLED: Words(
            500,
            "llama runner process has terminated: signal: killed",
            "llama-server process has terminated: signal: killed",
        ),
        Cause.LOAD_GONE: Words(
            500, "llama runner process no longer running: -1 ", "llama-server process no longer running: unknown "
        ),
        Cause.LOAD_TIMEOUT: Words(
            500,
            "timed out waiting for llama runner to start - progress 0.00 - ",
            "timed out waiting for llama-server to start - ",
        ),
        Cause.QUEUE_FULL: Words(503, busy := "server busy, please try again.  maximum pending requests exceeded", busy),
        Cause.GONE: Words(500, _STOPPED, _STOPPED),
        Cause.GONE_MEMORY: Words(500, _STOPPED, f"{_STOPPED}: CUDA error: out of memory"),
        Cause.DIED: Words(500, f"{_RUNNING}unexpected EOF", f"{_RUNNING}unexpected EOF"),
        Cause.DIED_MEMORY: Words(500, f"{_RUNNING}CUDA error: out of memory", f"{_RUNNING}CUDA error: out of memory"),
        Cause.READ_RESET: Words(
            500,
            "error reading llm response: read tcp 127.0.0.1:40001->127.0.0.1:40002: read: connection reset by peer",
            "error reading llama-server response: read tcp 127.0.0.1:40001->127.0.0.1:40002: read: connection reset by peer",
        ),
        Cause.COMPUTE: Words(500, _COMPUTE, _COMPUTE),
    }
)


class ApiError(Exception):
    """The server says no: a status and a text before the first byte of an answer, a last line with the text after it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generation of the server. `new` chooses the words; the rest are the differences that a client can see."""

    version: str
    new: bool
    reloads_on_shift: bool  # a request with another `shift` restarts the runner
    hides_control_tokens: bool  # raw mode does not print them (llama-server without preserved_tokens)
    reports_cached: bool  # prompt_eval_cached_count
    answers_to_full_window: bool  # a prompt of exactly the window is served

    def error(self, cause: Cause, **fields: float) -> ApiError:
        words = WORDS[cause]
        return ApiError(words.status, (words.new if self.new else words.old).format(**fields))


OLD = Generation(
    version="0.24.0",
    new=False,
    reloads_on_shift=False,
    hides_control_tokens=False,
    reports_cached=False,
    answers_to_full_window=True,
)
NEW = Generation(
    version="0.33.3",
    new=True,
    reloads_on_shift=True,
    hides_control_tokens=True,
    reports_cached=True,
    answers_to_full_window=False,
)
