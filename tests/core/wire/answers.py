"""Turns as parts, and what is left of them once they are joined: the two sides of every answer's round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from hypothesis import strategies as st

from gateway.core import jsontext
from gateway.core.stream import Call, CallPiece, Did, Part, Reasoning, Stop, StopReason, Text, Usage
from tests.core.wire.json_values import broken_texts, objects, texts

calls = st.builds(Call, id=texts.filter(bool), name=texts, arguments=objects.map(jsontext.dumps))
counts = st.integers(0, 10**9)
seconds = st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000)
usages = st.builds(Usage, prompt_tokens=counts, completion_tokens=counts, cached_tokens=counts, load_seconds=seconds, prompt_seconds=seconds, completion_seconds=seconds)  # fmt: skip
dids = st.lists(st.sampled_from(["compacted", "continued", "mended"]), min_size=1, max_size=2).map(tuple).map(Did)


@st.composite
def turns(draw: st.DrawFn) -> list[Part]:
    """Text and thought as they come, calls at the end, then usage, what was done, and the one stop."""
    said = draw(st.lists(st.builds(Text, broken_texts) | st.builds(Reasoning, broken_texts), max_size=6))
    reason = draw(st.sampled_from(StopReason))
    did = [draw(dids)] if draw(st.booleans()) else []
    return [*said, *draw(st.lists(calls, max_size=3)), draw(usages), *did, Stop(reason)]


@dataclass(frozen=True)
class Joined:
    """What a turn says, however it was cut into parts."""

    text: str
    thought: str
    calls: tuple[tuple[str, str, str], ...]
    stops: tuple[StopReason, ...]
    usages: tuple[Usage, ...]


def joined(parts: Iterable[Part]) -> Joined:
    parts = list(parts)
    whole = [(part.id, part.name, part.arguments) for part in parts if isinstance(part, Call)]
    return Joined(
        text="".join(jsontext.mended_text(part.text) for part in parts if isinstance(part, Text)),
        thought="".join(jsontext.mended_text(part.text) for part in parts if isinstance(part, Reasoning)),
        calls=(*whole, *_assembled([part for part in parts if isinstance(part, CallPiece)])),
        stops=tuple(part.reason for part in parts if isinstance(part, Stop)),
        usages=tuple(part for part in parts if isinstance(part, Usage)),
    )


def _assembled(pieces: Sequence[CallPiece]) -> Iterable[tuple[str, str, str]]:
    for _, group in groupby(sorted(pieces, key=lambda piece: piece.index), key=lambda piece: piece.index):
        of_one = list(group)
        yield of_one[0].id, "".join(piece.name for piece in of_one), "".join(piece.arguments for piece in of_one)


class Decoder(Protocol):
    error: str | None

    def feed(self, item: bytes) -> Iterable[Part]: ...
    def close(self) -> Iterable[Part]: ...


class Encoder(Protocol):
    def feed(self, item: Part) -> Iterable[bytes]: ...
    def close(self) -> Iterable[bytes]: ...


def encoded(encoder: Encoder, parts: Iterable[Part]) -> list[bytes]:
    """The pieces that go out."""
    return [*(piece for part in parts for piece in encoder.feed(part)), *encoder.close()]


def decoded(make: Callable[[], Decoder], chunks: Iterable[bytes]) -> tuple[list[Part], str | None]:
    """The parts of a stream, and its error."""
    decoder = make()
    parts = [part for chunk in chunks for part in decoder.feed(chunk)]
    return [*parts, *decoder.close()], decoder.error
