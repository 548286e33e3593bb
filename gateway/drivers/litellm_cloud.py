"""Clouds by way of litellm: its one importer. It puts requests into a provider's form and answers out of it; nothing more.

Laws: nothing is sent but for an attempt at an answer; litellm gets arguments from a list and never a client's field; the end,
the usage and the errors are those that were heard on the wire.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Try
from gateway.core.policy.cloud import CloudTarget
from gateway.core.policy.timeouts import Timeouts
from gateway.core.stream import CallPiece, Part, Stop, StopReason, Usage
from gateway.core.wire import openai_answer
from gateway.drivers.cloud_request import PROVIDERS, arguments
from gateway.drivers.cloud_truth import Heard
from gateway.drivers.silent import Silent
from gateway.ports import UpstreamFailed

if TYPE_CHECKING:
    import httpx


_KINDS = {
    "AuthenticationError": FailureKind.UNAUTHORIZED,
    "PermissionDeniedError": FailureKind.UNAUTHORIZED,
    "NotFoundError": FailureKind.MODEL_MISSING,
    "ContextWindowExceededError": FailureKind.OVERFLOW,
    "RateLimitError": FailureKind.OVERLOADED,
    "ServiceUnavailableError": FailureKind.OVERLOADED,
    "Timeout": FailureKind.STALLED,
    "BadRequestError": FailureKind.REFUSED,
    "MidStreamFallbackError": FailureKind.CUT,
    "APIConnectionError": FailureKind.INVALID,
    "InternalServerError": FailureKind.CRASHED,
}


@dataclass(frozen=True, slots=True)
class _Library:
    """litellm, once it is loaded."""

    complete: Callable[..., Any]
    client: Callable[[Heard, str], object]
    pool: httpx.AsyncBaseTransport


class LiteLLMCloud(Silent):
    """The models of one provider that policy names. `keys` are their API keys, by model."""

    def __init__(
        self, provider: str, models: Mapping[str, CloudTarget], *, keys: Mapping[str, str], timeouts: Timeouts
    ) -> None:
        super().__init__(models)
        self._provider = provider
        self._known = PROVIDERS[provider]
        self._keys = keys
        self._timeouts = timeouts
        self._library: _Library | None = None
        self._loading = asyncio.Lock()

    async def load(self, model: str, *, window: int | None) -> None:
        """Load litellm, which takes seconds; the provider hears nothing of it."""
        await self._ready()

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        model = attempt.target.model
        wanted = self._wanted(conversation, attempt)
        library = await self._ready()
        heard = Heard(self._provider, self._known.form)
        calls = _Calls()
        try:
            async with aclosing(self._chunks(library, heard, model, wanted)) as chunks:
                async for chunk in chunks:
                    if parts := calls.numbered(_parts(chunk)):
                        yield parts
        except (UpstreamFailed, GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:
            _raise(heard, error)
        finally:
            await heard.hang_up()
        yield _ending(heard, calls)

    async def close(self) -> None:
        if self._library is not None:
            await self._library.pool.aclose()
            self._library = None

    async def _chunks(
        self, library: _Library, heard: Heard, model: str, wanted: Mapping[str, object]
    ) -> AsyncGenerator[Any, None]:
        """litellm's chunks, each within our patience."""
        rule = self._targets[model]
        base = (rule.url or self._known.url).rstrip("/")
        try:
            async with asyncio.timeout(self._timeouts.first_part):
                answer = await library.complete(
                    **wanted,
                    model=f"{self._provider}/{model}",
                    api_key=self._keys[model],
                    api_base=base,
                    client=library.client(heard, base),
                )
            async with aclosing(answer) as chunks:
                patience = self._timeouts.first_part
                while True:
                    async with asyncio.timeout(patience):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    patience = self._timeouts.between_parts
                    yield chunk
                    await asyncio.sleep(0)  # litellm reads what has come without giving others a turn
        except TimeoutError:
            heard.fail(FailureKind.STALLED, "did not answer in time")
            _raise(heard, None)

    def _wanted(self, conversation: Conversation, attempt: Try) -> Mapping[str, object]:
        """The arguments for litellm. Raises UpstreamFailed for what stays at home."""
        rule = self._rule(attempt.target.model)
        if not rule.accepts_terms or not self._keys.get(attempt.target.model):
            missing = "has no API key" if rule.accepts_terms else "has terms that policy does not accept"
            raise UpstreamFailed(Failure(FailureKind.UNAUTHORIZED, f"{attempt.target} {missing}"))
        if conversation.completion is not None:
            raise UpstreamFailed(Failure(FailureKind.REFUSED, "bare completions are made at home"))
        if any(message.images for message in conversation.messages):
            raise UpstreamFailed(Failure(FailureKind.REFUSED, "images stay at home"))
        return arguments(conversation, rule, self._known, room=attempt.num_predict) | _DELIVERY

    async def _ready(self) -> _Library:
        async with self._loading:
            if self._library is None:
                try:
                    self._library = await asyncio.to_thread(_load, self._timeouts.connect)
                except ImportError:
                    words = "litellm is not installed; run: pip install 'holdfast[cloud]'"
                    raise UpstreamFailed(Failure(FailureKind.REFUSED, words)) from None
            return self._library


_DELIVERY: dict[str, object] = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "num_retries": 0,
    "max_retries": 0,
    "drop_params": True,
    "_skip_mcp_handler": True,  # 1.106.2 fails on tools where the package `mcp` is missing
}


def _load(connect: float) -> _Library:
    """Import litellm with everything off that it does by itself: it fetches prices, and prints and logs what it meets."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["DISABLE_AIOHTTP_TRANSPORT"] = "True"
    os.environ["REPEATED_STREAMING_CHUNK_LIMIT"] = str(
        sys.maxsize
    )  # it ends a table of zeros; circles are ours to find
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import httpx  # heavy, and not there in an installation without clouds
        import litellm
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
        from litellm.types import utils as types

        from gateway.drivers.listening import Line

        # Each type of an answer is completed by its first use, for a while and with warnings: here, where it holds nobody up.
        types.ModelResponse(), types.ModelResponseStream(choices=[types.StreamingChoices(delta=types.Delta())])
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.disable_aiohttp_transport = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).disabled = True
    pool = httpx.AsyncHTTPTransport(retries=0)

    def client(heard: Heard, base: str) -> object:
        return AsyncHTTPHandler(transport=Line(pool, heard, base=base, connect=connect), follow_redirects=False)

    return _Library(litellm.acompletion, client, pool)


class _Calls:
    """Numbers the pieces of calls: litellm begins at 0 again with each of Gemini's chunks."""

    def __init__(self) -> None:
        self.count = 0
        self._open: dict[int, tuple[int, str]] = {}

    def numbered(self, parts: Sequence[Part]) -> list[Part]:
        return [self._numbered(part) if isinstance(part, CallPiece) else part for part in parts]

    def _numbered(self, piece: CallPiece) -> CallPiece:
        number, id_ = self._open.get(piece.index, (-1, ""))
        if number < 0 or (piece.id and piece.id != id_):
            number = self.count
            self.count += 1
            self._open[piece.index] = number, piece.id
        return replace(piece, index=number)


def _parts(chunk: Any) -> list[Part]:  # litellm's own type
    """What a chunk says, but for its end and its usage. Its chunks are OpenAI's."""
    choices = [{"delta": choice.delta.model_dump(exclude_none=True)} for choice in chunk.choices]
    return list(openai_answer.Decoder().feed(b"data: " + jsontext.dump({"choices": choices}) + b"\n\n"))


def _ending(heard: Heard, calls: _Calls) -> list[Part]:
    """Usage and stop, as the provider told them. Raises UpstreamFailed where it told no end."""
    if heard.failure is not None:
        raise UpstreamFailed(heard.failure)
    if heard.end is None:
        raise UpstreamFailed(Failure(FailureKind.CUT, f"{heard.provider} ended its answer without a finish reason"))
    usage: list[Usage] = [replace(heard.usage, model=heard.model)] if heard.usage is not None else []
    called = heard.end is StopReason.STOP and calls.count
    return [*usage, Stop(StopReason.TOOL_CALLS if called else heard.end)]


def _raise(heard: Heard, error: Exception | None) -> NoReturn:
    """The failure that was heard; else what litellm's class says. Its texts hold bodies and are dropped."""
    if heard.failure is not None:
        raise UpstreamFailed(heard.failure) from None
    names = [each.__name__ for each in type(error).__mro__]
    if not heard.asked:
        words = f"{heard.provider} could not be asked: litellm can't put this request into its form ({names[0]})"
        raise UpstreamFailed(Failure(FailureKind.REFUSED, words)) from None
    kind = next((_KINDS[name] for name in names if name in _KINDS), FailureKind.INVALID)
    raise UpstreamFailed(Failure(kind, f"{heard.provider} failed ({names[0]})")) from None
