"""A record in words: every event there is, every cause and every way to go on, and what a newer gateway may add."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import telling
from gateway.cli.telling import story
from gateway.core.budget import Count
from gateway.core.events import (
    Began,
    Broke,
    Came,
    Ended,
    Event,
    FirstPart,
    Fitted,
    JoinedOther,
    Mended,
    Moved,
    Noticed,
    Routed,
)
from gateway.core.failures import FailureKind
from gateway.core.plan import Mode
from gateway.telemetry.recorder import Recorder

EVENTS: list[tuple[Event, str]] = [
    (
        Came(request="r", surface="ollama", model="m", caller="ci", agent="aider", session="s1", stream=True),
        "asks for m, by the ollama API, streamed, from aider, as ci, session s1",
    ),
    (JoinedOther(request="r", other="q"), "the same question as request q: shares its answer (holdfast show q)"),
    (
        Fitted(request="r", target="o/m", window=32_768, count=Count(12_345, "exact"), before=12_345),
        "the prompt for o/m has 12,345 tokens (exact), window 32,768",
    ),
    (
        Fitted(request="r", target="o/m", window=None, count=Count(1000, "estimated", 350), before=1000),
        "the prompt for o/m has 1,000 tokens (estimated, 350 more at most), window not known",
    ),
    (
        Began(request="r", number=1, target="o/m", mode=Mode.FRESH, window=8192, expected=367.0),
        "attempt 1 at o/m, from the start; its first part is expected after 6 min 7 s",
    ),
    (
        Began(request="r", number=2, target="o/m", mode=Mode.RAW, window=8192, after=0.5),
        "attempt 2 at o/m, goes on from the rendered prompt and all that was received, without a template, after waiting 0.5 s",
    ),
    (FirstPart(request="r", seconds=1.25), "the first part came, 1.2 s after the attempt began"),
    (
        Broke(request="r", number=1, kind="crashed", detail="unexpected EOF", received=1234),
        "attempt 1 broke: the model's runner died (unexpected EOF); 1,234 characters had come",
    ),
    (
        Routed(request="r", targets=("o/m", "p/n"), reasons=("4 files are being edited",)),
        "goes to o/m, then p/n, since 4 files are being edited",
    ),
    (
        Mended(request="r", tool="write", mends=("missing_brace",), proof="closers_only"),
        "the call of write was closers_only and is whole now; put right: missing_brace",
    ),
    (Moved(request="r", target="p/n", why="o/m keeps failing"), "goes on with p/n: o/m keeps failing"),
    (Noticed(request="r", words="something"), "noticed: something"),
    (
        Ended(request="r", how="answered", seconds=12.0, prompt_tokens=10, completion_tokens=2000, tries=1),
        "answered after 12 s and 1 attempt: 10 tokens in, 2,000 out",
    ),
    (
        Ended(request="r", how="answered", seconds=12.0, tries=2, cost=12_300),
        "answered after 12 s and 2 attempts: 0 tokens in, 0 out, for $0.0123",
    ),
    (
        Ended(request="r", how="window_too_small", seconds=1.0),
        "an error went to the client: window_too_small after 1.0 s: 0 tokens in, 0 out",
    ),
]


def told(*events: Event) -> list[str]:
    """The words for events, through the recorder that keeps them."""
    recorder = Recorder(keep=1, wall=lambda: 1000.0)
    for event in events:
        recorder.note(event)
    return [line.words for line in story(json.loads(json.dumps(recorder.show("r"))))]


@pytest.mark.parametrize(("event", "words"), EVENTS)
def test_each_event_in_words(event: Event, words: str) -> None:
    assert told(event) == [words]


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event, _ in EVENTS} == set(get_args(Event))


def test_compaction_is_told_stage_by_stage_and_what_was_mended() -> None:
    stage = {"stage": "masked", "tokens_before": 30_000, "tokens_after": 2000, "messages": (3, 5, 7)}
    fitted = Fitted(
        request="r", target="o/m", window=8192, count=Count(7000, "exact"), before=35_000, stages=(stage,), notes=("a",)
    )
    assert told(fitted) == [
        "the prompt for o/m has 7,000 tokens (exact), window 8,192; it came with 35,000",
        "compacted (masked): 30,000 → 2,000 tokens, 3 messages",
        "history mended: a",
    ]


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_cause_has_words_of_its_own(kind: FailureKind) -> None:
    (words,) = told(Broke(request="r", number=1, kind=kind, detail="", received=0))
    assert f"broke: {kind}" not in words
    assert words.endswith("; nothing had come")


@pytest.mark.parametrize("mode", list(Mode))
def test_every_way_to_go_on_has_words_of_its_own(mode: Mode) -> None:
    (words,) = told(Began(request="r", number=1, target="o/m", mode=mode, window=None))
    assert f", {mode}" not in words


def test_every_field_of_an_event_is_told_or_known_to_be_left_out() -> None:
    """A field that is added to an event is to be told; those that are not are named here."""
    left_out = {"request", "first_part"}
    fields = {field.name for kind in get_args(Event) for field in dataclasses.fields(kind)}
    source = inspect.getsource(telling)
    assert {name for name in fields - left_out if f'"{name}"' not in source and f"'{name}'" not in source} == set()


def test_an_event_of_a_newer_gateway_is_told_as_it_stands() -> None:
    record = {"events": [{"at": 2.0, "event": "Danced", "steps": 3}]}
    (line,) = story(record)
    assert (line.at, line.words) == (2.0, "Danced: steps=3")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([kind.__name__ for kind in get_args(Event)])
FIELDS = st.sampled_from(
    ["at", "count", "stages", "notes", "did", "window", "messages", "after", "expected", "received"]
)


@given(st.lists(st.fixed_dictionaries({"event": NAMES | JSON}, optional={}).flatmap(
    lambda event: st.dictionaries(FIELDS, JSON).map(lambda more: {**more, **event})), max_size=4))  # fmt: skip
def test_no_record_does_harm(events: list[Mapping[str, object]]) -> None:
    assert len(story({"events": events})) >= len(events)
