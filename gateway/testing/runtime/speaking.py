"""One generation, token by token: limits, stops, the window, the repeat guard, speed, and the faults that strike in between.

Law: a piece is whole UTF-8; tokens that are half a character wait for the other half, as the server holds them back.
"""

from __future__ import annotations

import asyncio
import codecs
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gateway.testing.ask import Ask
from gateway.testing.faults import Capped, Faults, Looping, Malformed, Point, Scene, SilentEnd
from gateway.testing.generations import Generation
from gateway.testing.models.model import SimModel
from gateway.testing.models.utterance import CIRCLE
from gateway.testing.models.vocabulary import Vocabulary
from gateway.testing.record import Asked
from gateway.testing.runtime.runner import Runner, Slot

REPEATS = 30  # as many equal pieces in a row pass; at the next the server gives up without a word
UNLIMITED = 10  # windows: the most that an unlimited num_predict makes

Reason: TypeAlias = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that has just been generated, and the tokens that it is made of. `garbled`: the line for it comes out broken."""

    text: str
    tokens: tuple[int, ...]
    garbled: bool = False


@dataclass(slots=True)
class Speech:
    """What the loop is about: who speaks, into which window, and how it went. `reason` stands when all is said."""

    model: SimModel
    ask: Ask
    asked: Asked
    runner: Runner
    slot: Slot
    used: int  # tokens in the window
    reason: Reason = "stop"
    count: int = 0  # tokens generated, the one that ends the turn included
    tokens: list[int] = field(default_factory=list)


async def speak(text: str, speech: Speech, scene: Scene, faults: Faults) -> AsyncGenerator[Piece, None]:
    """Generate `text`. Raises what faults raise, and SilentEnd where the repeat guard strikes."""
    told, stopped = _until_stop(text, speech.ask, speech.model)
    source = _Source(speech.model.family.vocabulary, told)
    guard, decoder = _RepeatGuard(), _Decoder(speech, scene.generation)
    limit = _limit(speech)
    while True:
        garbled = await _befall(speech, scene, faults, source)
        if speech.reason == "length" or speech.count >= limit or _full(speech, scene.generation):
            speech.reason = "length"
            return
        token = source.next()
        if token is None:
            speech.count += not stopped
            return
        await _pace(speech, scene)
        speech.count, speech.used = speech.count + 1, speech.used + 1
        speech.tokens.append(token)
        for piece in decoder.feed(token, garbled):
            guard.check(piece.text)
            speech.asked.said += piece.text
            speech.asked.said_tokens = speech.count
            yield piece


async def _befall(speech: Speech, scene: Scene, faults: Faults, source: _Source) -> bool:
    """Let faults strike before the next token; true where its line is to come out broken."""
    if speech.runner.died:
        raise scene.generation.error(speech.runner.died)
    try:
        await faults.strike(Point.TOKEN, scene, speech.asked, speech.count)
    except Capped:
        speech.reason = "length"
    except Looping:
        source.loop()
    except Malformed:
        return True
    return False


def _until_stop(text: str, ask: Ask, model: SimModel) -> tuple[str, bool]:
    """The text up to its first stop string, and whether there is one."""
    own = model.parameters.get("stop") or ()
    stops = [*ask.stops, *([own] if isinstance(own, str) else own if isinstance(own, Sequence) else ())]
    found = [at for at in (text.find(str(stop)) for stop in stops if stop) if at >= 0]
    return (text[: min(found)], True) if found else (text, False)


def _limit(speech: Speech) -> float:
    wanted = speech.ask.integer("num_predict")
    if wanted == 0:
        return math.inf  # left out on the way to the runner, hence unlimited
    most = UNLIMITED * speech.runner.window
    return most if wanted is None or wanted < 0 else min(wanted, most)


def _full(speech: Speech, generation: Generation) -> bool:
    """Whether the window stops it. With `shift` half of the window is thrown away instead, the beginning of the prompt too."""
    room = speech.runner.window + generation.answers_to_full_window
    if speech.used < room:
        return False
    if not speech.ask.shift:
        return True
    speech.used -= speech.runner.window // 2
    speech.asked.shifts += 1
    return False


async def _pace(speech: Speech, scene: Scene) -> None:
    """Take the time of one token; without a speed no more than others need to have their turn."""
    if math.isfinite(speech.model.speed):
        await scene.clock.sleep(1 / speech.model.speed)
    else:
        await asyncio.sleep(0)


class _Source:
    """The tokens still to come."""

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        self._vocabulary = vocabulary
        self._tokens: Iterator[int] = iter(vocabulary.encode(text))

    def next(self) -> int | None:
        return next(self._tokens, None)

    def loop(self) -> None:
        """Nothing but one word from now on."""
        word = self._vocabulary.encode(CIRCLE)[0]
        self._tokens = iter(lambda: word, None)


class _Decoder:
    """Tokens to pieces of whole characters. Control tokens are hidden where raw mode of a new server hides them."""

    def __init__(self, speech: Speech, generation: Generation) -> None:
        self._vocabulary = speech.model.family.vocabulary
        self._hides = speech.ask.raw and generation.hides_control_tokens
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: list[int] = []

    def feed(self, token: int, garbled: bool) -> Iterator[Piece]:
        hidden = self._hides and self._vocabulary.is_control(token)
        self._waiting.append(token)
        text = "" if hidden else self._bytes.decode(self._vocabulary.bytes_of(token))
        if text or hidden:
            yield Piece(text, tuple(self._waiting), garbled)
            self._waiting.clear()


class _RepeatGuard:
    """The server's own guard against a model that says the same piece for ever."""

    def __init__(self) -> None:
        self._last = ""
        self._times = 0

    def check(self, piece: str) -> None:
        said = piece.strip()
        self._times = self._times + 1 if said == self._last else 0
        self._last = said
        if self._times > REPEATS:
            raise SilentEnd
