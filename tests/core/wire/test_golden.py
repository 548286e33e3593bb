"""Golden answers: an Ollama stream in `tests/golden/wire/NAME.ndjson` reads as `NAME.sse`, with the error in `NAME.error`.

All of it is written by us; An expectation that changes is judged by eye, never only made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from chunk_invariance import assert_chunk_invariant

from gateway.core.wire.ollama_answer import Decoder
from gateway.core.wire.openai_answer import Envelope, StreamEncoder
from tests.core.wire.json_values import chunked

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "wire").glob("*.ndjson"))
ENVELOPE = Envelope(id="chatcmpl-golden", created=1770091506, model="sage:7b", usage=True)


def translated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What a client of the OpenAI surface would get of an Ollama's bytes; an error as the last line."""
    decoder, encoder = Decoder(), StreamEncoder(ENVELOPE)
    for chunk in chunks:
        for part in decoder.feed(chunk):
            yield from encoder.feed(part)
    for part in decoder.close():
        yield from encoder.feed(part)
    if decoder.error is not None:
        yield f"error: {decoder.error}\n".encode()


def expected(file: Path) -> bytes:
    error = file.with_suffix(".error")
    return file.with_suffix(".sse").read_bytes() + (b"error: " + error.read_bytes() if error.exists() else b"")


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_golden_answer(file: Path) -> None:
    data, dice = file.read_bytes(), Random(11)
    splits = [
        [data],
        [data[place : place + 1] for place in range(len(data))],
        *(chunked(data, [dice.randrange(len(data)) for _ in range(count)]) for count in (1, 2, 5, 20, 100)),
    ]
    assert_chunk_invariant(translated, lambda _: expected(file), data, splits=splits)


def test_there_are_golden_answers() -> None:
    assert len(GOLDEN) >= 14
