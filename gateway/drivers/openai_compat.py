"""OpenAI-compatible servers at home or trusted: vLLM, llama.cpp's server, LM Studio, OpenRouter, a rented pod."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.stream import Part, Stop
from gateway.core.wire import openai_answer, openai_request, openai_text
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http, mapped
from gateway.drivers.wording import failure_of
from gateway.ports import Embeddings, Listed, UpstreamFailed

_GENERATION = 900.0


class OpenAICompatible:
    """One server that speaks the OpenAI API."""

    modes: Sequence[Mode] = ()
    prints_control = False

    def __init__(self, http: Http) -> None:
        self._http = http

    async def alive(self) -> str:
        await self._entries()
        return "openai"

    async def models(self) -> Sequence[Listed]:
        return [Listed(str(entry.get("id") or ""), entry) for entry in await self._entries()]

    async def describe(self, model: str) -> ModelFacts:
        entry = next((each for each in await self._entries() if each.get("id") == model), {})
        meta = entry.get("meta")
        known = meta if is_object(meta) else {}
        return ModelFacts(
            name=model,
            family=str(entry.get("owned_by") or ""),
            trained=_number(known.get("n_ctx_train")),
            configured=_number(entry.get("max_model_len"))
            or _number(known.get("n_ctx"))
            or _number(entry.get("context_length")),
            shown=entry,
        )

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        return None

    async def loaded(self) -> Sequence[Loaded]:
        return []

    async def load(self, model: str, *, window: int | None) -> None:
        """Such a server has its model loaded from its start."""

    async def unload(self, model: str) -> None:
        """And keeps it."""

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        return None

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        return None

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        path, body = _request(conversation, attempt)
        decoder = openai_answer.Decoder()
        ended = False
        with mapped():
            async with self._http.open("POST", path, body) as response:
                async for data in response.content.iter_any():
                    if parts := list(decoder.feed(data)):
                        ended = ended or any(isinstance(part, Stop) for part in parts)
                        yield parts
                    _raise(decoder)
                    if decoder.done:
                        break
                if parts := list(decoder.close()):
                    ended = ended or any(isinstance(part, Stop) for part in parts)
                    yield parts
                _raise(decoder)
        if not ended:
            raise UpstreamFailed(Failure(FailureKind.CUT, "the stream ended without a finish reason"))

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
        body = jsontext.dump({**extra, "model": model, "input": list(texts), "encoding_format": "float"})
        answer = await self._http.ask("POST", "/v1/embeddings", body, seconds=_GENERATION)
        data = answer.get("data") if is_object(answer) else None
        if not is_object(answer) or not isinstance(data, list):
            raise UpstreamFailed(Failure(FailureKind.INVALID, "the upstream gave no embeddings"))
        usage = answer.get("usage")
        tokens = _number(usage.get("prompt_tokens")) if is_object(usage) else None
        return Embeddings([each.get("embedding") for each in data if is_object(each)], tokens or 0)

    def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, f"this kind of server has no {verb}"))

    async def close(self) -> None:
        await self._http.close()

    async def _entries(self) -> Sequence[Mapping[str, object]]:
        answer = await self._http.ask("GET", "/v1/models")
        data = answer.get("data") if is_object(answer) else None
        return [each for each in data if is_object(each)] if isinstance(data, list) else []


def _request(conversation: Conversation, attempt: Try) -> tuple[str, bytes]:
    model, most = attempt.target.model, attempt.num_predict or None
    if conversation.completion is not None:
        return "/v1/completions", openai_text.encode(conversation, model=model, max_tokens=most)
    return "/v1/chat/completions", openai_request.encode(conversation, model=model, max_tokens=most)


def _raise(decoder: openai_answer.Decoder) -> None:
    if decoder.error is not None:
        raise UpstreamFailed(failure_of(200, decoder.error))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
