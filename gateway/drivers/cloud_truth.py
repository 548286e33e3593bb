"""What a cloud's own bytes say of an answer: its true end, its usage, its model, its error. Gemini's form and OpenAI's.

litellm invents ends and counts where the upstream told none (1.106.2: `stop` after a cut), so that only these are believed.
An error's text may quote the request or a key: it chooses the kind of failure and goes nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from gateway.core import jsontext
from gateway.core.failures import Failure, FailureKind
from gateway.core.stream import StopReason, Usage
from gateway.core.wire.fields import is_object
from gateway.core.wire.lines import Events, LineTooLong
from gateway.core.wire.records import count_of
from gateway.drivers.wording import failure_of

Form: TypeAlias = Literal["gemini", "openai"]
_K, _R = FailureKind, StopReason

# Gemini (ai.google.dev, v1beta), then Mistral and OpenRouter. What is not here is no end.
_ENDS: Mapping[str, StopReason | FailureKind] = {
    "STOP": _R.STOP,
    "MAX_TOKENS": _R.LENGTH,
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"), _R.CONTENT_FILTER),
    **dict.fromkeys(("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"), _K.PARSER),
    "stop": _R.STOP,
    "length": _R.LENGTH,
    "model_length": _R.LENGTH,
    "tool_calls": _R.TOOL_CALLS,
    "content_filter": _R.CONTENT_FILTER,
    "error": _K.CRASHED,
}
_KINDS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (_K.UNAUTHORIZED, r"API key not valid|API key expired|API_KEY_INVALID|insufficient credits|invalid api key"),
        (_K.OVERFLOW, r"input token count .{0,40}exceeds the maximum|too large for model with"),
        (_K.MODEL_MISSING, r"is not found for API version|no longer available|not a valid model ID|No endpoints found"),
        (_K.OVERLOADED, r"RESOURCE_EXHAUSTED|quota|UNAVAILABLE"),
    )
)
_BY_STATUS = {**dict.fromkeys(range(300, 400), _K.REFUSED), 402: _K.UNAUTHORIZED, 422: _K.REFUSED, 504: _K.STALLED}
_SIZE = re.compile(r"input token count \(?(\d{1,12})\)?|prompt contains (\d{1,12}) tokens", re.IGNORECASE)
_LIMIT = re.compile(
    r"tokens allowed \(?(\d{1,12})\)?|with (\d{1,12}) maximum context length|context length is (\d{1,12})",
    re.IGNORECASE,
)


def cloud_failure(provider: str, status: int, body: str, *, retry_after: float | None = None) -> Failure:
    """The failure that a cloud's status and error body stand for, in words of ours."""
    known = next((kind for kind, pattern in _KINDS if pattern.search(body)), None)
    kind = known or _BY_STATUS.get(status) or failure_of(status, body).kind
    return Failure(
        kind,
        f"{provider} said no ({_name_of(body) or kind})",
        status,
        limit=_number(_LIMIT, body) if kind is _K.OVERFLOW else 0,
        size=_number(_SIZE, body) if kind is _K.OVERFLOW else 0,
        retry_after=retry_after,
    )


def _name_of(body: str) -> str:
    """The provider's name for an error, where it has the form of a name (`INVALID_ARGUMENT`, `invalid_model`)."""
    try:
        said = jsontext.loads(body)
    except jsontext.NotJson:
        return ""
    match said:
        case {"error": {"status": str(name)}} | {"type": str(name)} | {"error": {"type": str(name)}}:
            return name if re.fullmatch(r"[A-Za-z_]{1,40}", name) else ""
        case _:
            return ""


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)) if found else 0


class Closable(Protocol):
    async def aclose(self) -> None: ...


class Heard:
    """What was heard on the wire of one request. `asked` says that it was sent at all."""

    def __init__(self, provider: str, form: Form) -> None:
        self.provider = provider
        self.asked = False
        self.failure: Failure | None = None
        self.end: StopReason | None = None
        self.usage: Usage | None = None
        self.model = ""
        self.open: Closable | None = None
        self._form = form
        self._events = Events()

    def listen(self, data: bytes) -> None:
        """Bytes of the answer, however they are cut."""
        try:
            for event in self._events.feed(data):
                self._read(event)
        except LineTooLong:
            self.fail(_K.INVALID, "sent an event that is too long")

    def listened(self) -> None:
        """The bytes ended well."""
        for event in self._events.close():
            self._read(event)

    def fail(self, kind: FailureKind, words: str) -> None:
        """The first failure is the cause of the others."""
        self.failure = self.failure or Failure(kind, f"{self.provider} {words}")

    async def hang_up(self) -> None:
        """Close the connection, whoever still thinks that it reads from it."""
        if self.open is not None:
            still, self.open = self.open, None
            await still.aclose()

    def _read(self, event: bytes) -> None:
        try:
            said = jsontext.glance(event)
        except jsontext.NotJson:
            return
        if not is_object(said):
            return
        if said.get("error"):
            self.failure = self.failure or cloud_failure(
                self.provider, _status(said["error"]), event.decode("utf-8", "replace")
            )
            return
        match self._form:
            case "gemini":
                self._read_gemini(said)
            case "openai":
                self._read_openai(said)

    def _read_gemini(self, said: Mapping[str, object]) -> None:
        self.model = str(said.get("modelVersion") or self.model)
        for candidate in _objects(said.get("candidates")):
            self._note_end(candidate.get("finishReason"))
        if is_object(feedback := said.get("promptFeedback")) and feedback.get("blockReason"):
            self.fail(_K.REFUSED, "blocked the prompt")
        if is_object(usage := said.get("usageMetadata")):
            self.usage = Usage(
                prompt_tokens=count_of(usage, "promptTokenCount") + count_of(usage, "toolUsePromptTokenCount"),
                completion_tokens=count_of(usage, "candidatesTokenCount") + count_of(usage, "thoughtsTokenCount"),
                cached_tokens=count_of(usage, "cachedContentTokenCount"),
            )

    def _read_openai(self, said: Mapping[str, object]) -> None:
        self.model = str(said.get("model") or self.model)
        for choice in _objects(said.get("choices")):
            self._note_end(choice.get("finish_reason"))
        if is_object(usage := said.get("usage")):
            details = usage.get("prompt_tokens_details")
            self.usage = Usage(
                prompt_tokens=count_of(usage, "prompt_tokens"),
                completion_tokens=count_of(usage, "completion_tokens"),
                cached_tokens=count_of(details, "cached_tokens") if is_object(details) else 0,
            )

    def _note_end(self, reason: object) -> None:
        if not reason:
            return
        match _ENDS.get(str(reason)):
            case StopReason() as end:
                self.end = end
            case FailureKind() as kind:
                self.fail(kind, "ended its answer with an error of its own")
            case None:
                self.fail(_K.CUT, "ended its answer for a reason that is no end")


def _status(error: object) -> int:
    code = error.get("code") if is_object(error) else None
    return code if isinstance(code, int) else 0


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if is_object(each)] if isinstance(value, list) else []
