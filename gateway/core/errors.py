"""Every error that a client can get: code, status, type and who will ask again. The one table; docs/errors.md is made from it.

Law: a text holds no run of digits that a client takes for a status (429, 500, 502, 503, 504, 524) and says what to change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Code(StrEnum):
    """The `code` of an error, stable: scripts may rely on it."""

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED = "unsupported"
    MODEL_NOT_FOUND = "model_not_found"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "body_too_large"  # not `request_too_large`, on which OpenCode compacts
    SLOW_REQUEST = "request_too_slow"
    UNREAD = "answer_not_read"
    UNSUPPORTED_MEDIA = "unsupported_media_type"
    UNAUTHORIZED = "invalid_api_key"
    FORBIDDEN = "forbidden"
    QUEUE_FULL = "queue_full"
    WINDOW_TOO_SMALL = "window_too_small"
    CONTEXT_OVERFLOW = "context_length_exceeded"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_REFUSED = "upstream_refused"
    UPSTREAM_FAILED = "upstream_failed"
    OUT_OF_MEMORY = "out_of_memory"
    UNREADABLE_CALL = "unreadable_tool_call"
    STANDSTILL = "agent_stands_still"
    PRIVATE = "private_content"
    SHUTTING_DOWN = "shutting_down"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a code goes out: HTTP status, OpenAI error type, whether a client should send the same again."""

    status: int
    type: str
    again: bool = False


_FINAL = Kind(400, "invalid_request_error")

TABLE: Mapping[Code, Kind] = MappingProxyType(
    {
        Code.INVALID_REQUEST: _FINAL,
        Code.UNSUPPORTED: _FINAL,
        Code.MODEL_NOT_FOUND: Kind(404, "invalid_request_error"),
        Code.NOT_FOUND: Kind(404, "invalid_request_error"),
        Code.METHOD_NOT_ALLOWED: Kind(405, "invalid_request_error"),
        Code.TOO_LARGE: Kind(413, "invalid_request_error"),
        Code.SLOW_REQUEST: Kind(408, "invalid_request_error"),
        Code.UNREAD: Kind(408, "invalid_request_error"),
        Code.UNSUPPORTED_MEDIA: Kind(415, "invalid_request_error"),
        Code.UNAUTHORIZED: Kind(401, "authentication_error"),
        Code.FORBIDDEN: Kind(403, "permission_error"),
        Code.QUEUE_FULL: Kind(503, "server_error", again=True),
        Code.SHUTTING_DOWN: Kind(503, "server_error"),
        Code.WINDOW_TOO_SMALL: _FINAL,
        Code.CONTEXT_OVERFLOW: _FINAL,
        Code.UPSTREAM_UNREACHABLE: _FINAL,
        Code.UPSTREAM_REFUSED: _FINAL,
        Code.UPSTREAM_FAILED: _FINAL,
        Code.OUT_OF_MEMORY: _FINAL,
        Code.UNREADABLE_CALL: _FINAL,
        Code.STANDSTILL: _FINAL,
        Code.PRIVATE: _FINAL,
        Code.INTERNAL: Kind(500, "server_error"),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error on its way to a client, its words made calm. `param` names the field at fault; `extra` rides beside the code."""

    code: Code
    message: str
    param: str | None = None
    retry_after: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", calm(self.message))
        object.__setattr__(self, "param", None if self.param is None else calm(self.param))
        object.__setattr__(self, "extra", {key: calm(value) for key, value in self.extra.items()})

    @property
    def kind(self) -> Kind:
        return TABLE[self.code]


class BadRequest(Exception):
    """The client's request can't be served as it is; `problem` tells it why."""

    def __init__(self, message: str, *, param: str | None = None, code: Code = Code.INVALID_REQUEST) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, param)


_STATUS_LIKE = re.compile(r"\d*(?:429|500|502|503|504|524)\d*")

# What OpenCode 1.18 asks again on, then what OpenCode, Crush 0.90, LiteLLM 1.81, Cline 4 and OpenHands take for an
# overflow, which they answer with compaction or with the same request for ever.
_ACTED_ON = re.compile(
    r"rate.?limit|overloaded|unavailable|(?:internal|server|provider returned)[ _]error|terminated|fetch failed|socket"
    r"|econnreset|connection reset|time[sd]? ?out|try again|throttl|too many requests"
    r"|too (?:long|many tokens)|request[ _](?:entity )?too[ _]large|context[ _](?:length|window|limit)|context size"
    r"|maximum (?:context|prompt|allowed input|number of tokens)|reduce the length|token limit|(?:input|token).*exceed"
    r"|exceed.*(?:limit|context|maximum)|(?:longer|more) than|max_new_tokens|maximum length|greater than the|input length",
    re.IGNORECASE | re.DOTALL,
)


def calm(text: str) -> str:
    """`text` without digits that a client would take for a status: OpenCode 1.18 retries any text that holds one."""
    return _STATUS_LIKE.sub("#", text)


def quotable(text: str) -> str:
    """The first 300 characters of an upstream's words, calm; nothing where a client would act on them by itself."""
    words = text.strip()[:300]
    return "" if _ACTED_ON.search(words) else calm(words)


def thousands(tokens: int) -> str:
    """A token count as people say it, in digits that no client takes for a status: 12345 → "12.3k", 524000 → "0.52M"."""
    for unit, size, places in (("k", 1e3, 1), ("M", 1e6, 2), ("G", 1e9, 2), ("T", 1e12, 2)):
        said = f"{tokens / size:.{places}f}{unit}"
        if calm(said) == said:
            return said
    return "#"
