"""Circles are noticed soon; what people and models write when they do not go round never looks like one."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import DATA
from gateway.core.loops import TEXT, THOUGHT, Bounds, Circles, Stale, goes_round, unwound

UNTIMED = settings(deadline=None)
TRANSCRIPTS = DATA / "transcripts"
WORDS = [
    "the",
    "sum",
    "of",
    "both",
    "is",
    "larger",
    "than",
    "what",
    "we",
    "had",
    "so",
    "wait",
    "let",
    "me",
    "check",
    "that",
    "again",
    "from",
    "the",
    "start",
]


def noticed_at(stage: Circles | Stale, text: str, piece: int = 4) -> int | None:
    """After how many characters the stage tells."""
    return next((at for at in range(0, len(text), piece) if stage.feed(text[at : at + piece])), None)


def prose(words: int, seed: int = 1) -> str:
    dice = random.Random(seed)
    return " ".join(f"{dice.choice(WORDS)}{dice.randrange(50)}" for _ in range(words))


@pytest.mark.parametrize("bounds", [THOUGHT, TEXT])
@pytest.mark.parametrize("period", [1, 7, 80, 700, 1900])
def test_a_circle_is_noticed_after_its_rounds(bounds: Bounds, period: int) -> None:
    begun, round_ = prose(300), prose(900, seed=2)[:period]
    at = noticed_at(Circles(bounds), begun + round_ * (45_000 // period))
    assert at is not None
    assert 0 <= at - len(begun) - max(bounds.characters, bounds.rounds * period) <= 600


def test_prose_is_no_circle() -> None:
    assert noticed_at(Circles(THOUGHT), prose(5_000)) is None
    assert noticed_at(Stale(), sentences(600, 1)) is None
    assert noticed_at(Stale(), prose(5_000)) is None


def sentences(count: int, seed: int) -> str:
    return " ".join(f"{prose(8, seed=seed * 1000 + number)}." for number in range(count))


def test_the_same_paragraphs_in_any_order_are_stale() -> None:
    paragraphs = [sentences(6, seed) for seed in range(5)]
    dice = random.Random(3)
    thought = " ".join(dice.choice(paragraphs) for _ in range(200))
    assert noticed_at(Circles(THOUGHT), thought) is None
    at = noticed_at(Stale(), thought)
    assert at is not None
    assert at < len(thought) // 4


def test_a_file_that_is_drafted_three_times_is_not_stale() -> None:
    assert (
        noticed_at(Stale(), f"{sentences(90, 1)} ".join(["First: ", "Now with the fix: ", "Once more: ", ""])) is None
    )


@UNTIMED
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_pieces_change_nothing_but_when_it_is_told(sizes: list[int]) -> None:
    text, at, stage = "again and again " * 400, 0, Circles(THOUGHT)
    told = False
    while at < len(text) and not told:
        size = sizes[at % len(sizes)]
        told, at = stage.feed(text[at : at + size]), at + size
    assert told
    assert at >= THOUGHT.characters


def test_unwound_keeps_the_first_round() -> None:
    begun, round_ = prose(30), " and so on and so forth, which brings us back to where we were"
    assert unwound(begun + round_ * 9) == begun + round_
    assert unwound(begun) == begun


def test_the_servers_own_guard_is_recognised_by_its_tail() -> None:
    assert goes_round("so " + "go" * 31, Bounds(rounds=25, characters=30, period=40, needle=12))


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="the recorded transcripts are not here")
def test_real_answers_and_thoughts_raise_no_alarm() -> None:
    """Each taken for a thought, whose bounds are the narrower ones; and all of a session as one."""
    seen = 0
    for path in sorted(TRANSCRIPTS.glob("*.json")):
        messages = [m for m in json.loads(path.read_text())["messages"] if m["role"] == "assistant"]
        texts = [str(m.get(key) or "") for m in messages for key in ("reasoning_content", "content")]
        for text in [*filter(None, texts), "\n".join(texts)]:
            seen += len(text)
            for stage in (Circles(THOUGHT), Circles(TEXT), Stale()):
                assert noticed_at(stage, text, piece=64) is None, f"{path.name}: {text[:80]!r}"
    assert seen > 100_000
