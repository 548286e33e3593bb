"""Ollama by its native API, old generation and new: always streaming, nothing truncated or shifted, one pinned window per model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import aiohttp

from gateway.core import jsontext
from gateway.core.conversation import Completion, Conversation, Message, Prose
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Loaded, Mode, ModelFacts, Try
from gateway.core.stream import Part, Stop
from gateway.core.wire import ollama_answer, ollama_request
from gateway.core.wire.fields import is_object
from gateway.drivers.http import Http, mapped
from gateway.drivers.ollama_shown import Generation, behaves_like, facts_of, generation_of, is_away, loaded_of
from gateway.drivers.ollama_watch import Patience, Watch
from gateway.drivers.wording import failure_of
from gateway.ports import Embeddings, Listed, UpstreamFailed

T = TypeVar("T")

_LAST_BYTES = (
    0.05  # seconds to wait for the end of a body after its last line, so that the connection can be used again
)
_LOAD = 900.0  # seconds; a cold start of a large model from a slow disk


class Ollama:
    """One Ollama server."""

    modes = (Mode.PREFILL, Mode.RAW, Mode.SCHEMA)

    def __init__(self, http: Http, *, patience: Patience | None = None) -> None:
        self._http = http
        self._renders = True
        self._prompts = ollama_request.Prompts()
        self._generation: Generation | None = None
        self._watch = Watch(self.loaded, patience)

    @property
    def prints_control(self) -> bool:
        return self._generation == "old"

    async def alive(self) -> str:
        answer = await self._http.ask("GET", "/api/version")
        version = str(answer.get("version", "")) if is_object(answer) else ""
        self._generation = generation_of(version)
        if self._generation is None:
            self._generation = "old" if await self._makes_images() else "new"
            return behaves_like(self._generation)
        return version

    async def models(self) -> Sequence[Listed]:
        await self.alive()
        listed = []
        for entry in await self._entries("/api/tags"):
            name = str(entry.get("name") or entry.get("model") or "")
            listed.append(Listed(name, entry, away=is_away(name, entry)))
        return listed

    async def describe(self, model: str) -> ModelFacts:
        shown = await self._show(model, verbose=False)
        return facts_of(model, shown)

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        info = (await self._show(model, verbose=True)).get("model_info")
        if not is_object(info) or not info.get("tokenizer.ggml.tokens"):
            return None
        return {
            key: value for key, value in info.items() if key.startswith("tokenizer.") or key == "general.architecture"
        }

    async def loaded(self) -> Sequence[Loaded]:
        return [loaded_of(entry) for entry in await self._entries("/api/ps")]

    async def load(self, model: str, *, window: int | None) -> None:
        options = {"num_ctx": window} if window else {}
        body = {"model": model, "stream": False, "shift": False, "truncate": False, "options": options}
        asking = self._http.ask("POST", "/api/generate", jsontext.dump(body), seconds=_LOAD)
        await self._watched(asking, model, quick=True)

    async def unload(self, model: str) -> None:
        await self._http.ask("POST", "/api/generate", jsontext.dump({"model": model, "keep_alive": 0}), seconds=60.0)
        self._watch.hung.discard(model)

    async def render(self, conversation: Conversation, attempt: Try) -> str | None:
        if not self._renders:
            return None
        path, body = _request(conversation, attempt, self._prompts, render=True)
        asking = self._http.ask("POST", path, body, seconds=_LOAD)
        answer = await self._watched(asking, attempt.target.model, quick=True)
        info = answer.get("_debug_info") if is_object(answer) else None
        text = info.get("rendered_template") if is_object(info) else None
        if not isinstance(text, str):
            self._renders = False  # before v0.11.5
            return None
        return text

    async def count(self, conversation: Conversation, attempt: Try) -> int | None:
        return None

    async def stream(self, conversation: Conversation, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        if attempt.target.model in self._watch.hung:
            await self.unload(attempt.target.model)
        path, body = _request(conversation, attempt, self._prompts, render=False)
        decoder = ollama_answer.Decoder()
        with mapped(), self._watch.noting(attempt.target.model):
            async with contextlib.AsyncExitStack() as stack:
                opening = stack.enter_async_context(self._http.open("POST", path, body))
                response = await self._watched(opening, attempt.target.model)  # no headers before the first part
                self._watch.answered(attempt.target.model)
                async for data in response.content.iter_any():
                    parts = list(decoder.feed(data))
                    if any(isinstance(part, Stop) for part in parts):
                        await _finish(response)
                        yield parts
                        return
                    if parts:
                        yield parts
                    _raise(decoder)
                if parts := list(decoder.close()):
                    yield parts
                    if any(isinstance(part, Stop) for part in parts):
                        return
                _raise(decoder)
        raise UpstreamFailed(Failure(FailureKind.CUT, "the stream ended without its last record"))

    async def embed(self, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
        body = jsontext.dump({**extra, "model": model, "input": list(texts)})
        answer = await self._http.ask("POST", "/api/embed", body, seconds=_LOAD)
        vectors = answer.get("embeddings") if is_object(answer) else None
        if not is_object(answer) or not isinstance(vectors, list):
            raise UpstreamFailed(Failure(FailureKind.INVALID, "the upstream gave no embeddings"))
        tokens = answer.get("prompt_eval_count")
        return Embeddings(vectors, tokens if isinstance(tokens, int) else 0)

    async def manage(self, verb: str, body: bytes) -> AsyncGenerator[bytes, None]:
        method = "DELETE" if verb == "delete" else "POST"
        with mapped():
            async with self._http.open(method, f"/api/{verb}", body) as response:
                async for data in response.content.iter_any():
                    yield data

    async def close(self) -> None:
        await self._http.close()

    async def _watched(self, waiting: Coroutine[object, object, T], model: str, *, quick: bool = False) -> T:
        """What comes of a request that needs the model; old servers can lose one without a word."""
        return await (waiting if self._generation == "new" else self._watch.over(waiting, model, quick=quick))

    async def _makes_images(self) -> bool:
        """Whether it has a route that v0.24 still had, empty of wishes: asked only of a server that hides its version."""
        try:
            await self._http.ask("POST", "/v1/images/generations", b"{}")
        except UpstreamFailed as error:
            if not error.failure.status:
                raise
            return error.failure.status == 400
        return False

    async def _entries(self, path: str) -> Sequence[Mapping[str, object]]:
        answer = await self._http.ask("GET", path)
        entries = answer.get("models") if is_object(answer) else None
        return [entry for entry in entries or [] if is_object(entry)] if isinstance(entries, list) else []

    async def _show(self, model: str, *, verbose: bool) -> Mapping[str, object]:
        answer = await self._http.ask(
            "POST", "/api/show", jsontext.dump({"model": model, "verbose": verbose}), seconds=60.0
        )
        return answer if is_object(answer) else {}


def _raise(decoder: ollama_answer.Decoder) -> None:
    if decoder.error is not None:
        raise UpstreamFailed(failure_of(200, decoder.error))


async def _finish(response: aiohttp.ClientResponse) -> None:
    if not response.content.at_eof():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_BYTES):
                await response.content.readany()


def _request(
    conversation: Conversation, attempt: Try, prompts: ollama_request.Prompts, *, render: bool
) -> tuple[str, bytes]:
    pinned = ollama_request.Pinned(
        num_ctx=attempt.window,
        options=attempt.options,
        num_predict=1
        if render
        else attempt.num_predict,  # 1: a server that does not know the field makes one token only
        keep_alive=attempt.keep_alive,
        # Under a schema the text is the answer: told twice, it would be taken for the model's own words.
        logprobs=attempt.verbatim and not render and attempt.mode is not Mode.SCHEMA,
        render=render,
    )
    model = attempt.target.model
    if attempt.mode in (Mode.RAW, Mode.REMAKE):
        raw = replace(conversation, completion=Completion(prompt=attempt.prompt, raw=True), think=None)
        return "/api/generate", ollama_request.encode_generate(raw, model=model, pinned=pinned)
    if conversation.completion is not None:
        return "/api/generate", ollama_request.encode_generate(conversation, model=model, pinned=pinned)
    if attempt.output is not None:
        conversation = replace(conversation, output=attempt.output)
    if attempt.mode is Mode.PREFILL:
        prefix = Message(
            role="assistant", content=(Prose(attempt.text),) if attempt.text else (), thinking=attempt.thought
        )
        conversation = replace(conversation, messages=(*conversation.messages, prefix))
    return "/api/chat", prompts.encode(conversation, model=model, pinned=pinned)
