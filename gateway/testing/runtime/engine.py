"""From an ask to the events of its answer: schedule, render, fit, read the prompt, speak, parse. Knows no HTTP and no JSON."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gateway.ports import Clock
from gateway.testing.ask import Ask
from gateway.testing.faults import Dropped, Faults, Point
from gateway.testing.generations import ApiError, Cause, Generation
from gateway.testing.models.model import SimModel
from gateway.testing.parsers.parsed import Parsed
from gateway.testing.parsers.parsing import OutputParser, Passthrough, parser_for
from gateway.testing.record import Asked, Ended, Kind
from gateway.testing.runtime.fitting import Prompt, fit, shown
from gateway.testing.runtime.memory import Memory
from gateway.testing.runtime.runner import Runner
from gateway.testing.runtime.scheduler import Scheduler
from gateway.testing.runtime.speaking import Reason, Speech, speak

TICK = 1e-6  # seconds that a token takes in the reported durations where the model has no speed


@dataclass(frozen=True, slots=True)
class Loaded:
    """Nothing was asked: the model is in memory now, or out of it (`unload`)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The prompt, for `_debug_render_only`."""

    prompt: str
    images: int


@dataclass(frozen=True, slots=True)
class Begun:
    """The prompt is accepted for generation: errors from here on come through the stream."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece as the server's parser gives it, and the tokens that it was read from."""

    parsed: Parsed
    tokens: tuple[int, ...] = ()
    text: str = ""
    garbled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The true end, with what the parser had still held back. Times in seconds."""

    parsed: Parsed
    reason: Reason
    prompt_tokens: int
    cached_tokens: int
    tokens: int
    load_seconds: float
    prompt_seconds: float
    seconds: float
    context: tuple[int, ...] = ()  # the tokens of prompt and answer, for /api/generate


Event: TypeAlias = Loaded | Rendered | Begun | Said | Finished


@dataclass(slots=True)
class _Scene:
    """One request as faults see it."""

    clock: Clock
    generation: Generation
    scheduler: Scheduler
    native: bool
    runner: Runner | None = None

    def kill(self, cause: Cause, *, all_others: bool = False) -> None:
        if self.runner:
            self.scheduler.kill(self.runner, cause, all_others=all_others)

    def wedge(self) -> None:
        if self.runner:
            self.runner.wedged = True


@dataclass(slots=True)
class Engine:
    """The server behind its surfaces."""

    clock: Clock
    generation: Generation
    scheduler: Scheduler
    faults: Faults
    memory: Memory = field(default_factory=Memory)

    def scene(self, model: SimModel | None = None) -> _Scene:
        return _Scene(self.clock, self.generation, self.scheduler, native=bool(model and model.family.native))

    async def answer(self, model: SimModel, ask: Ask, asked: Asked) -> AsyncGenerator[Event, None]:
        """The events of one request. Raises ApiError, and whatever its faults raise."""
        scene = self.scene(model)
        if asked.kind is Kind.UNLOAD:
            self.scheduler.unload(model)
            yield Loaded("unload")
            return
        begun = self.clock.now()

        async def on_load(window: int) -> None:
            await self.faults.strike(Point.LOAD, scene, asked, window)

        async with self.scheduler.use(model, ask, asked, on_load) as runner:
            scene.runner = runner
            if asked.kind is Kind.LOAD:
                yield Loaded("load")
            elif ask.render_only:
                prompt = shown(ask, model, self.generation, asked)
                self.memory.keep(prompt.text, prompt.ask)
                yield Rendered(prompt.text, ask.images)
            else:
                load_seconds = self.clock.now() - begun
                async with aclosing(self._generate(model, ask, asked, scene, load_seconds)) as events:
                    async for event in events:
                        yield event

    async def _generate(
        self, model: SimModel, ask: Ask, asked: Asked, scene: _Scene, load_seconds: float
    ) -> AsyncGenerator[Event, None]:
        yield Begun()
        if isinstance(ask.format, str) and ask.format != "json":
            raise ApiError(500, f'invalid format: "\\"{ask.format}\\""; expected "json" or a valid JSON Schema object')
        prompt = fit(ask, model, self.generation, asked)
        self.memory.keep(prompt.text, prompt.ask)
        assert scene.runner is not None
        async with scene.runner.slot(prompt.tokens) as slot:
            cached = slot.known(prompt.tokens)
            asked.read_anew = len(prompt) - cached
            speech = Speech(model, ask, asked, scene.runner, slot, used=len(prompt))
            await self._read(speech, scene)
            parser = self._parser(speech)
            try:
                async with aclosing(self._speak(speech, prompt, parser, scene)) as events:
                    async for event in events:
                        yield event
                last = await self._parsed(parser, None, speech, scene)
            finally:
                slot.cache = [*prompt.tokens, *speech.tokens]
        yield self._finished(speech, last, cached, load_seconds)

    async def _read(self, speech: Speech, scene: _Scene) -> None:
        """Prompt processing: only what the slot does not remember takes time."""
        if math.isfinite(speech.model.prompt_speed):
            await self.clock.sleep(speech.asked.read_anew / speech.model.prompt_speed)
        await self.faults.strike(Point.PROMPT, scene, speech.asked)

    def _parser(self, speech: Speech) -> OutputParser:
        ask, model = speech.ask, speech.model
        return Passthrough() if ask.raw else parser_for(model.family.parser, ask, thinking=bool(model.think(ask)))

    async def _speak(
        self, speech: Speech, prompt: Prompt, parser: OutputParser, scene: _Scene
    ) -> AsyncGenerator[Event, None]:
        ask, told = speech.ask, self.memory.recall(prompt)
        told = replace(told, generation=speech.asked.generation, format=ask.format)
        text = speech.model.speaks(told, prompt.text)
        async with aclosing(speak(text, speech, scene, self.faults)) as pieces:
            async for piece in pieces:
                parsed = await self._parsed(parser, piece.text, speech, scene)
                if not parsed.empty or ask.logprobs or ask.surface == "generate":
                    yield Said(parsed, piece.tokens, piece.text, piece.garbled)

    async def _parsed(self, parser: OutputParser, text: str | None, speech: Speech, scene: _Scene) -> Parsed:
        """What the parser makes of the next piece, or of the end (None)."""
        try:
            parsed = parser.close() if text is None else parser.feed(text)
            if parsed.calls:
                await self._hand_over(parsed, speech.asked, scene)
        except ApiError:
            await self.faults.strike(Point.PARSER_ERROR, scene, speech.asked)
            raise
        return parsed

    async def _hand_over(self, parsed: Parsed, asked: Asked, scene: _Scene) -> None:
        try:
            await self.faults.strike(Point.CALLS, scene, asked)
        except Dropped:
            parsed.calls = []

    def _finished(self, speech: Speech, last: Parsed, cached: int, load_seconds: float) -> Finished:
        asked, model = speech.asked, speech.model
        asked.said_tokens = speech.count
        asked.ended = Ended(speech.reason)
        return Finished(
            parsed=last,
            reason=speech.reason,
            prompt_tokens=asked.prompt_tokens,
            cached_tokens=cached,
            tokens=speech.count,
            load_seconds=round(load_seconds, 2) + 1000 * TICK,  # coarse, so that real time leaves no trace in it
            prompt_seconds=_seconds(asked.read_anew, model.prompt_speed),
            seconds=_seconds(speech.count, model.speed),
            context=() if speech.ask.raw or speech.ask.surface == "chat" else tuple(speech.slot.cache),
        )


def _seconds(tokens: int, speed: float) -> float:
    return tokens / speed if math.isfinite(speed) else tokens * TICK
