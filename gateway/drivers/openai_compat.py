"""OpenAI-compatible servers at home or trusted: vLLM, llama.cpp's server, LM Studio, OpenRouter, a rented pod."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from gateway.core import jsontext
from gateway.core.conversation import Completion, Conversation, Message, Prose
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.stream import Part, Stop
from gateway.core.wire import openai_answer, openai_request, openai_text
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http, mapped
from gateway.drivers.openai_kinds import Entry, Kind, Server, entries_of, facts_of, loaded_of, number, recognise
from gateway.drivers.wording import failure_of
from gateway.ports import Embeddings, Listed, UpstreamFailed

_GENERATION = 900.0
_TOKENISING = 60.0  # seconds; llama.cpp answers between two batches of a prompt that it reads
_ABSENT = frozenset({404, 405, 501})  # statuses of an endpoint that a server does not have
_VLLM_TEMPLATE = (
    "model",
    "messages",
    "tools",
    "chat_template_kwargs",
    "add_generation_prompt",
    "continue_final_message",
)
_VLLM_RAW = {"add_special_tokens": False, "skip_special_tokens": False}  # the prompt has them; markers are to be seen


class OpenAICompatible:
    """One server that speaks the OpenAI API. What else it can do is known once a model has been described."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._server = Server()
        self._absent: set[str] = set()

    @property
    def modes(self) -> Sequence[Mode]:
        return (Mode.PREFILL, Mode.RAW) if self._server.kind in (Kind.LLAMA_CPP, Kind.VLLM) else ()

    @property
    def prints_control(self) -> bool:
        return self._server.kind is Kind.VLLM

    async def alive(self) -> str:
        await self._entries()
        return str(self._server.kind)

    async def models(self) -> Sequence[Listed]:
        return [Listed(str(entry.get("id") or ""), entry) for entry in await self._entries()]

    async def describe(self, model: str) -> ModelFacts:
        entries = await self._recognised()
        entry = next((each for each in entries if each.get("id") == model), {})
        return facts_of(model, entry, self._server)

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        return None

    async def loaded(self) -> Sequence[Loaded]:
        return loaded_of(await self._recognised(), self._server)

    async def load(self, model: str, *, window: int | None) -> None:
        """Such a server has its model loaded from its start, or loads it when it is asked."""

    async def unload(self, model: str) -> None:
        """And keeps it."""

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        if conversation.completion is not None:
            return None
        match self._server.kind:
            case Kind.LLAMA_CPP:
                return _text(await self._ask("/apply-template", _request(conversation, attempt)[1]), "prompt")
            case Kind.VLLM:
                tokens = (await self._ask("/tokenize", _vllm_template(conversation, attempt))).get("tokens")
                body = {"model": attempt.target.model, "tokens": tokens}
                return _text(await self._ask("/detokenize", jsontext.dump(body)), "prompt") if tokens else None
            case _:
                return None

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        match self._server.kind:
            case Kind.LLAMA_CPP:
                return await self._llama_cpp_count(conversation, attempt)
            case Kind.VLLM:
                return number((await self._ask("/tokenize", _vllm_template(conversation, attempt))).get("count"))
            case _:
                return None

    async def _llama_cpp_count(self, conversation: Conversation, attempt: Try) -> int | None:
        """By its own word; before it had one, by its template and its tokenizer, which can't see pictures."""
        if conversation.completion is None:
            told = await self._ask("/v1/chat/completions/input_tokens", _request(conversation, attempt)[1])
            if (count := number(told.get("input_tokens"))) is not None:
                return count
            prompt = await self.render(conversation, attempt)
        else:
            prompt = conversation.completion.prompt
        if prompt is None or any(message.images for message in conversation.messages):
            return None
        body = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = (await self._ask("/tokenize", jsontext.dump(body))).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        path, body = _request(conversation, attempt, raw=_VLLM_RAW if self._server.kind is Kind.VLLM else {})
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
        tokens = number(usage.get("prompt_tokens")) if is_object(usage) else None
        return Embeddings([each.get("embedding") for each in data if is_object(each)], tokens or 0)

    def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        raise UpstreamFailed(Failure(FailureKind.REFUSED, f"this kind of server has no {verb}"))

    async def close(self) -> None:
        await self._http.close()

    async def _entries(self) -> Sequence[Entry]:
        return entries_of(await self._http.ask("GET", "/v1/models"))

    async def _recognised(self) -> Sequence[Entry]:
        """The list of models, after a look at what kind of server it is: another may have taken its address."""
        entries = await self._entries()
        self._server = await recognise(self._http, entries)
        return entries

    async def _ask(self, path: str, body: bytes) -> Entry:
        """The object that an endpoint answers with; empty where the server has no such endpoint, which is remembered."""
        if path in self._absent:
            return {}
        try:
            answer = await self._http.ask("POST", path, body, seconds=_TOKENISING)
        except UpstreamFailed as error:
            if error.failure.status not in _ABSENT:
                raise
            self._absent.add(path)
            return {}
        return answer if is_object(answer) else {}


def _request(conversation: Conversation, attempt: Try, *, raw: Mapping[str, object] | None = None) -> tuple[str, bytes]:
    """Where to send what. `raw` are further fields for a prompt that is rendered already."""
    model, most = attempt.target.model, attempt.num_predict or None
    if attempt.mode in (Mode.RAW, Mode.REMAKE):
        completion = Completion(prompt=attempt.prompt, raw=True)
        conversation = replace(conversation, completion=completion, extra={**conversation.extra, **(raw or {})})
    if conversation.completion is not None:
        return "/v1/completions", openai_text.encode(conversation, model=model, max_tokens=most)
    if attempt.mode is Mode.PREFILL:
        content = (Prose(attempt.text),) if attempt.text else ()
        prefix = Message(role="assistant", content=content, thinking=attempt.thought)
        conversation = replace(conversation, messages=(*conversation.messages, prefix))
    return "/v1/chat/completions", openai_request.encode(conversation, model=model, max_tokens=most)


def _vllm_template(conversation: Conversation, attempt: Try) -> bytes:
    """A request to vLLM's `/tokenize`: what of the chat goes into its template, or the bare prompt."""
    if conversation.completion is not None:
        return jsontext.dump({"model": attempt.target.model, "prompt": conversation.completion.prompt})
    body = jsontext.loads(_request(conversation, attempt)[1])
    assert is_object(body)
    return jsontext.dump({key: body[key] for key in _VLLM_TEMPLATE if key in body})


def _text(answer: Entry, key: str) -> str | None:
    value = answer.get(key)
    return value if isinstance(value, str) else None


def _raise(decoder: openai_answer.Decoder) -> None:
    if decoder.error is not None:
        raise UpstreamFailed(failure_of(200, decoder.error))
